"""Protobuf messages made at run time: remote write requests of both versions, and Prometheus's exposition.

As in prompb/remote.proto, prompb/types.proto, prompb/io/prometheus/write/v2/types.proto and
prompb/io/prometheus/client/metrics.proto of Prometheus 3; oneofs are plain optional fields here.
"""

from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

_Field = descriptor_pb2.FieldDescriptorProto

_HISTOGRAM = """count_int 1 uint64?, count_float 2 double?, sum 3 double, schema 4 sint32, zero_threshold 5 double,
    zero_count_int 6 uint64?, zero_count_float 7 double?, negative_spans 8 *BucketSpan, negative_deltas 9 *sint64,
    negative_counts 10 *double, positive_spans 11 *BucketSpan, positive_deltas 12 *sint64,
    positive_counts 13 *double, reset_hint 14 int32, timestamp 15 int64, custom_values 16 *double"""
_SPAN = "offset 1 sint32, length 2 uint32"
WRITE_1 = {
    "Label": "name 1 string, value 2 string",
    "Sample": "value 1 double, timestamp 2 int64",
    "Exemplar": "labels 1 *Label, value 2 double, timestamp 3 int64",
    "BucketSpan": _SPAN,
    "Histogram": _HISTOGRAM,
    "TimeSeries": "labels 1 *Label, samples 2 *Sample, exemplars 3 *Exemplar, histograms 4 *Histogram",
    "MetricMetadata": "type 1 int32, metric_family_name 2 string, help 4 string, unit 5 string",
    "WriteRequest": "timeseries 1 *TimeSeries, metadata 3 *MetricMetadata",
}
WRITE_2 = {
    "Sample": "value 1 double, timestamp 2 int64, start_timestamp 3 int64",
    "Exemplar": "labels_refs 1 *uint32, value 2 double, timestamp 3 int64",
    "BucketSpan": _SPAN,
    "Histogram": _HISTOGRAM + ", start_timestamp 17 int64",
    "Metadata": "type 1 int32, help_ref 3 uint32, unit_ref 4 uint32",
    "TimeSeries": """labels_refs 1 *uint32, samples 2 *Sample, histograms 3 *Histogram, exemplars 4 *Exemplar,
        metadata 5 Metadata""",
    "Request": "symbols 4 *string, timeseries 5 *TimeSeries",
}
EXPOSITION = {
    "LabelPair": "name 1 string, value 2 string",
    "Exemplar": "label 1 *LabelPair, value 2 double",
    "Gauge": "value 1 double",
    "Counter": "value 1 double, exemplar 2 Exemplar",
    "Bucket": "cumulative_count 1 uint64, upper_bound 2 double",
    "BucketSpan": _SPAN,
    "Histogram": """sample_count 1 uint64, sample_sum 2 double, bucket 3 *Bucket, schema 5 sint32,
        zero_threshold 6 double, zero_count 7 uint64, negative_span 9 *BucketSpan, negative_delta 10 *sint64,
        positive_span 12 *BucketSpan, positive_delta 13 *sint64""",
    "Metric": "label 1 *LabelPair, gauge 2 Gauge, counter 3 Counter, histogram 7 Histogram",
    "MetricFamily": "name 1 string, help 2 string, type 3 int32, metric 4 *Metric",
}


def make(file: dict[str, str]) -> dict[str, Any]:
    """Classes of messages by name, from lines of `name number type`; `*` is repeated, `?` knows whether it is there."""
    made = descriptor_pb2.FileDescriptorProto(name="made.proto", package="made", syntax="proto3")
    for name, fields in file.items():
        message = made.message_type.add(name=name)
        for field in fields.split(","):
            title, number, kind = field.split()
            plain = kind.strip("*?")
            added = message.field.add(name=title, number=int(number))
            added.label = _Field.LABEL_REPEATED if kind[0] == "*" else _Field.LABEL_OPTIONAL
            if plain in file:
                added.type, added.type_name = _Field.TYPE_MESSAGE, f".made.{plain}"
            else:
                added.type = _Field.Type.Value(f"TYPE_{plain.upper()}")
            if kind[-1] == "?":
                added.proto3_optional, added.oneof_index = True, len(message.oneof_decl)
                message.oneof_decl.add(name=f"_{title}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(made)
    return {
        name: message_factory.GetMessageClass(pool.FindMessageTypeByName(f"made.{name}"))
        for name in file
    }
