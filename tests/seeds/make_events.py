"""Small AEDAT 4 recordings, for the mutations of tests/fuzz.rs. Run with a Python that has faery 0.7.1."""
from pathlib import Path

import faery
import numpy as np

here = Path(__file__).parent
events = np.zeros(40, dtype=faery.EVENTS_DTYPE)
events["t"] = np.arange(40) * 37 + 1000
events["x"], events["y"] = np.arange(40) % 8, np.arange(40) * 3 % 8
events["on"] = np.arange(40) % 2
for name, compression in [("plain", None), ("lz4", ("lz4", 1)), ("zstd", ("zstd", 1))]:
    faery.events_stream_from_array(events, (8, 8)).to_file(here / f"{name}.aedat4", compression=compression)
