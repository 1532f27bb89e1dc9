"""A real Apache Kafka on this machine: one KRaft node, from Maven's jars, with the Java that is there."""
