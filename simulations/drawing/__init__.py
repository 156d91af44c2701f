"""Pictures as data, drawn as text, as SVG and as HTML, without any library.

* `marks`: what a picture is: a chart or a table, its axes, curves, notes and cells;
* `text`: a picture as lines of text, which is also its alternative for those who cannot see it;
* `svg`: a picture as SVG: no script, no foreign host or font, dark where the reader's screen is;
* `page`: a picture as a piece of HTML, and pictures as a page that stands alone;
* `png`: a picture as an image; needs the extra `report`;
* `sheet`: what a thing shows of itself: names and values, lines, what is covered, pictures;
* `displayed`: what makes a notebook show a result as a command would;
* `pictured`: what gives a result its picture in a notebook.

The same picture gives the same bytes everywhere.
"""
