"""Rewrite prepared records so that a rebuild gives the same bytes."""

import tensorflow as tf


def rewrite(shard, count=-1):
    """Write a TFRecord file's first records (-1: all) anew, each with its features in the order of their names.

    Protocol buffers otherwise serialize a map in an order that changes from process to process.

    Returns:
        The number of records and of their bytes.
    """
    records = []
    for record in tf.data.TFRecordDataset(str(shard)).take(count).as_numpy_iterator():
        records.append(tf.train.Example.FromString(record).SerializeToString(deterministic=True))
    with tf.io.TFRecordWriter(str(shard)) as writer:
        for record in records:
            writer.write(record)
    return len(records), sum(map(len, records))
