import com.fasterxml.jackson.annotation.JsonIgnoreProperties;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;

/**
 * The job of job.py in Java, to the letter: a running z-score and a 10 s mean for each series, and their checksums.
 *
 * <p>One thread learns; it also meters the stretch from the warm-up to the last message, and ends the process.
 */
public final class Job {
    static final int WARM_UP_SAMPLES = 20;
    static final double LIMIT = 4.89163847569859;
    static final int SCORED_FROM = 2;
    static final long WINDOW_MS = 10_000;

    private static final ObjectReader READER = new ObjectMapper().readerFor(Sample.class);
    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    private static long warmUp;
    private static long last;
    private static long cpuNanos;
    private static long wallNanos;

    private static long messages;
    private static long alerts;
    private static double scores;
    private static long windows;
    private static double means;

    private Job() {}

    /** One message; flat, so that an engine that copies it between its operators copies little. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Sample {
        public long ts;
        public double value;
        public String service;

        @JsonSetter("labels")
        public void readLabels(Labels labels) {
            service = labels.service;
        }
    }

    /** The labels of a message. */
    @JsonIgnoreProperties(ignoreUnknown = true)
    public static final class Labels {
        public String service;
    }

    /** State of one series. */
    public static final class Series {
        public long count;
        public double mean;
        public double squares;
        public long window = -1;
        public long inWindow;
        public double sum;
    }

    /** One message from its JSON. */
    public static Sample decode(byte[] value) throws IOException {
        return READER.readValue(value);
    }

    /** What a peer is told, each name followed by its value; warm-up and messages are kept here. */
    public static Map<String, String> read(String[] arguments) {
        Map<String, String> given = new HashMap<>();
        for (int at = 0; at + 1 < arguments.length; at += 2) {
            given.put(arguments[at].substring(2), arguments[at + 1]);
        }
        warmUp = Long.parseLong(given.get("warm-up"));
        last = Long.parseLong(given.get("messages"));
        return given;
    }

    /** Judge one sample by the state of its series, then learn it; its score where it is an alert, else 0. */
    public static double learn(Series series, long timeMs, double value) {
        double delta = value - series.mean;
        double alert = 0.0;
        if (series.count >= SCORED_FROM && series.squares > 0.0) {
            double score = delta / Math.sqrt(series.squares / (series.count - 1));
            scores += Math.abs(score);
            if (series.count >= WARM_UP_SAMPLES && Math.abs(score) >= LIMIT) {
                alerts++;
                alert = score;
            }
        }
        series.count++;
        series.mean += delta / series.count;
        series.squares += delta * (value - series.mean);
        long now = timeMs / WINDOW_MS;
        if (now == series.window) {
            series.inWindow++;
            series.sum += value;
        } else {
            if (series.inWindow > 0) {
                windows++;
                means += series.sum / series.inWindow;
            }
            series.window = now;
            series.inWindow = 1;
            series.sum = value;
        }
        return alert;
    }

    /** One message is done with, its state stored. */
    public static void done() {
        messages++;
        if (messages == warmUp) {
            cpuNanos = SYSTEM.getProcessCpuTime();
            wallNanos = System.nanoTime();
        } else if (messages == last) {
            report();
        }
    }

    private static void report() {
        double cpu = (SYSTEM.getProcessCpuTime() - cpuNanos) / 1e9;
        double wall = (System.nanoTime() - wallNanos) / 1e9;
        System.out.printf(
                Locale.ROOT,
                "{\"messages\":%d,\"cpu_seconds\":%.6f,\"wall_seconds\":%.6f,\"notes\":{\"samples\":%d,"
                        + "\"alerts\":%d,\"scores\":%d,\"windows\":%d,\"means\":%d}}%n",
                last - warmUp, cpu, wall, messages, alerts, Math.round(scores), windows, Math.round(means));
        System.out.flush();
        // Nobody waits for what is not measured.
        Runtime.getRuntime().halt(0);
    }
}
