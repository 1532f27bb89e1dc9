import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.clients.consumer.ConsumerConfig;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.common.serialization.StringDeserializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.ProcessorContext;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/** Kafka Streams: one processor, its state in a key-value store on RocksDB or in memory, by record key. */
public final class Peer {
    private static final String STORE = "series";

    private Peer() {}

    /** Read the topic from its beginning, and measure. */
    public static void main(String[] arguments) {
        Map<String, String> given = Job.read(arguments);
        Properties properties = new Properties();
        properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, given.get("broker"));
        properties.put(StreamsConfig.APPLICATION_ID_CONFIG, given.get("name"));
        properties.put(StreamsConfig.STATE_DIR_CONFIG, given.get("folder"));
        properties.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, 1);
        properties.put(ConsumerConfig.AUTO_OFFSET_RESET_CONFIG, "earliest");

        Topology topology = new Topology();
        topology.addSource("read", new StringDeserializer(), new SampleDeserializer(), given.get("topic"));
        topology.addProcessor("watch", Watch::new, "read");
        topology.addStateStore(store(given.get("form")), "watch");
        new KafkaStreams(topology, properties).start();
    }

    /** With record cache and changelog; "unlogged" has neither, and nothing of it survives the process. */
    private static StoreBuilder<KeyValueStore<String, Job.Series>> store(String form) {
        return switch (form) {
            case "rocksdb" -> over(Stores.persistentKeyValueStore(STORE)).withCachingEnabled();
            case "memory" -> over(Stores.inMemoryKeyValueStore(STORE)).withCachingEnabled();
            case "unlogged" -> over(Stores.inMemoryKeyValueStore(STORE)).withLoggingDisabled();
            default -> throw new IllegalArgumentException(form);
        };
    }

    private static StoreBuilder<KeyValueStore<String, Job.Series>> over(
            KeyValueBytesStoreSupplier supplier) {
        return Stores.keyValueStoreBuilder(supplier, Serdes.String(), new SeriesSerde());
    }

    private static final class Watch implements Processor<String, Job.Sample, String, Double> {
        private KeyValueStore<String, Job.Series> store;

        @Override
        public void init(ProcessorContext<String, Double> context) {
            store = context.getStateStore(STORE);
        }

        @Override
        public void process(Record<String, Job.Sample> record) {
            Job.Series series = store.get(record.key());
            if (series == null) {
                series = new Job.Series();
            }
            Job.learn(series, record.value().ts, record.value().value);
            store.put(record.key(), series);
            Job.done();
        }
    }

    private static final class SampleDeserializer implements Deserializer<Job.Sample> {
        @Override
        public Job.Sample deserialize(String topic, byte[] value) {
            try {
                return Job.decode(value);
            } catch (IOException error) {
                throw new UncheckedIOException(error);
            }
        }
    }

    private static final class SeriesSerde implements Serde<Job.Series> {
        @Override
        public Serializer<Job.Series> serializer() {
            return (topic, series) ->
                    series == null
                            ? null
                            : ByteBuffer.allocate(48)
                                    .putLong(series.count)
                                    .putDouble(series.mean)
                                    .putDouble(series.squares)
                                    .putLong(series.window)
                                    .putLong(series.inWindow)
                                    .putDouble(series.sum)
                                    .array();
        }

        @Override
        public Deserializer<Job.Series> deserializer() {
            return (topic, bytes) -> {
                if (bytes == null) {
                    return null;
                }
                ByteBuffer from = ByteBuffer.wrap(bytes);
                Job.Series series = new Job.Series();
                series.count = from.getLong();
                series.mean = from.getDouble();
                series.squares = from.getDouble();
                series.window = from.getLong();
                series.inWindow = from.getLong();
                series.sum = from.getDouble();
                return series;
            };
        }
    }
}
