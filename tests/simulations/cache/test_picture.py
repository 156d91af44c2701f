from simulations.cache import variants
from simulations.cache.picture import lanes, sequence_diagram
from simulations.cache.system import run
from simulations.cache.workload import Workload
from simulations.choices import Deviation, drawn

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

DIAGRAM = """\
sequenceDiagram
    participant reader
    participant writer
    participant store
    participant database
    reader->>store: get price
    reader->>database: read price
    database-->>reader: 0 0
    writer->>database: write price 1
    database-->>writer: 1
    writer->>store: delete price
    Note over writer: has written 1
    reader->>store: set price 0 None
    Note over reader: reads 0
    Note over store,database: cache 0, database 1"""


def test_lanes():
    assert lanes(STALE) == LANES


def test_sequence_diagram():
    assert sequence_diagram(STALE) == DIAGRAM
