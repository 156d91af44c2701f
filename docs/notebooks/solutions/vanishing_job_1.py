"""Read: on the weekend on which the clocks go back, at which hour does the sweep kill?

At hour 71. The sweep keeps local time, so for the job it comes an hour later: there is
a night with two hours from two to three. Forward it is hour 69. Whoever looks for "hour
70" in the logs misses both.
"""

import scenarios
from scenarios.lab.teaching import lesson

bug = scenarios.get("vanishing-job")
plan = [("launch", 0, 1), ("owner_tag", 0, 1), ("sweep", 0, 1)]

hours = {
    words: lesson.play(bug, [*plan, *clock], given=bug.ladder[0]).attempts[0].job_hours
    for words, clock in {
        "as usual": [],
        "forward": [("clock", 0, 1)],
        "back": [("clock", 0, 2)],
    }.items()
}
print(hours)

assert hours == {"as usual": 70, "forward": 69, "back": 71}
