"""The method: what is asked of a bug besides whether it is there. It knows no story.

==============  =======================================================================================
`campaign`      many pieces of work on any number of workers, with the same result
==============  =======================================================================================
"""
