from simulations.cache import variants
from simulations.cache.picture import lanes, pictures
from simulations.cache.system import run
from simulations.cache.workload import Workload
from simulations.choices import Deviation, drawn, nominal
from simulations.drawing.marks import FAILS, NEAREST

STALE = run(variants.AS_SHIPPED, Workload(("r", "w")), drawn([Deviation("reader after database.read", 0, 1)]))

LANES = """\
  ms  reader                      writer
   0  store.get price
   5  database.read price -> 0 0
   5                              database.write price 1 -> 1
   5                              store.delete price
   5                              has written 1
   5  store.set price 0 None
   5  reads 0
in the end: cache 0, database 1"""


def test_lanes():
    assert lanes(STALE) == LANES


def test_a_run_beside_the_nearest_that_passes():
    passing = run(variants.AS_SHIPPED, Workload(("r", "w")), nominal())
    (picture,) = pictures(STALE, passing)
    assert [each.title for each in picture.runs] == [FAILS, NEAREST]
    assert picture.parts_at == 2
    assert picture.runs[0].ended == "in the end: cache 0, database 1"
