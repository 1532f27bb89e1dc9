import java.io.IOException;
import java.util.Map;
import org.apache.flink.api.common.eventtime.WatermarkStrategy;
import org.apache.flink.api.common.functions.OpenContext;
import org.apache.flink.api.common.serialization.AbstractDeserializationSchema;
import org.apache.flink.api.common.state.ValueState;
import org.apache.flink.api.common.state.ValueStateDescriptor;
import org.apache.flink.connector.kafka.source.KafkaSource;
import org.apache.flink.connector.kafka.source.enumerator.initializer.OffsetsInitializer;
import org.apache.flink.streaming.api.datastream.DataStream;
import org.apache.flink.streaming.api.datastream.DataStreamUtils;
import org.apache.flink.streaming.api.datastream.KeyedStream;
import org.apache.flink.streaming.api.environment.StreamExecutionEnvironment;
import org.apache.flink.streaming.api.functions.KeyedProcessFunction;
import org.apache.flink.streaming.api.functions.sink.v2.DiscardingSink;
import org.apache.flink.util.Collector;

/** Flink's DataStream: Kafka source, keyed by series, state on the heap, in a cluster within this process. */
public final class Peer {
    private Peer() {}

    /** Read the topic from its beginning, and measure. */
    public static void main(String[] arguments) throws Exception {
        Map<String, String> given = Job.read(arguments);
        StreamExecutionEnvironment environment = StreamExecutionEnvironment.getExecutionEnvironment();
        environment.setParallelism(1);
        environment.getConfig().enableObjectReuse();
        KafkaSource<Job.Sample> source =
                KafkaSource.<Job.Sample>builder()
                        .setBootstrapServers(given.get("broker"))
                        .setTopics(given.get("topic"))
                        .setGroupId(given.get("name"))
                        .setStartingOffsets(OffsetsInitializer.earliest())
                        .setValueOnlyDeserializer(new SampleSchema())
                        .build();
        DataStream<Job.Sample> samples =
                environment.fromSource(source, WatermarkStrategy.noWatermarks(), "read");
        // In one task the stream is partitioned as `keyBy` would, so the exchange can be left out.
        KeyedStream<Job.Sample, String> keyed =
                given.get("form").equals("chained")
                        ? DataStreamUtils.reinterpretAsKeyedStream(samples, sample -> sample.service)
                        : samples.keyBy(sample -> sample.service);
        keyed.process(new Watch()).sinkTo(new DiscardingSink<>());
        environment.execute(given.get("name"));
    }

    private static final class SampleSchema extends AbstractDeserializationSchema<Job.Sample> {
        private static final long serialVersionUID = 1L;

        @Override
        public Job.Sample deserialize(byte[] value) throws IOException {
            return Job.decode(value);
        }
    }

    private static final class Watch extends KeyedProcessFunction<String, Job.Sample, Double> {
        private static final long serialVersionUID = 1L;
        private transient ValueState<Job.Series> state;

        @Override
        public void open(OpenContext context) {
            state = getRuntimeContext().getState(new ValueStateDescriptor<>("series", Job.Series.class));
        }

        @Override
        public void processElement(Job.Sample sample, Context context, Collector<Double> alerts)
                throws IOException {
            Job.Series series = state.value();
            if (series == null) {
                series = new Job.Series();
            }
            double score = Job.learn(series, sample.ts, sample.value);
            state.update(series);
            if (score != 0.0) {
                alerts.collect(score);
            }
            Job.done();
        }
    }
}
