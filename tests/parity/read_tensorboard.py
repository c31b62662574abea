#!/usr/bin/env python3
"""Prints the scalars that TensorBoard sees in a log folder, after its purge of resumed steps.

    python tests/parity/read_tensorboard.py RUN_DIR/tb

One JSON object a line: {"tag": ..., "step": ..., "wall_time": ..., "value": ...}, by tag, then in
the order of the files; NaN and Inf as the strings "nan", "inf", "-inf". Needs `pip install tensorboard`.
"""

import json
import math
import sys

from tensorboard.backend.event_processing.event_accumulator import (
    EventAccumulator, STORE_EVERYTHING_SIZE_GUIDANCE)


def json_value(value):
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return "inf" if value > 0 else "-inf"
    return value


def main(folder):
    events = EventAccumulator(folder, size_guidance=STORE_EVERYTHING_SIZE_GUIDANCE)
    events.Reload()
    tags = events.Tags()
    # Current versions turn simple values into tensors of one number when they load them.
    read = {tag: [(e, e.value) for e in events.Scalars(tag)] for tag in tags["scalars"]}
    for tag in tags["tensors"]:
        read[tag] = [(e, e.tensor_proto.float_val[0]) for e in events.Tensors(tag)]
    for tag in sorted(read):
        for event, value in read[tag]:
            print(json.dumps({"tag": tag, "step": event.step, "wall_time": event.wall_time,
                              "value": json_value(value)}))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
