package dev.seekr.data;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Fields;
import dev.seekr.disk.Fingerprint;
import dev.seekr.disk.Reading;
import dev.seekr.disk.Reading.Stamp;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.safetensors.SafetensorsWriter;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;

/**
 * What is kept of one finished task: its replay samples and, beside each, what the model of that
 * time said of them. A folder with one safetensors file a sample:
 *
 * <pre>
 *   tokens [n] I32     answer_start [1] I32     logits [targets,V]     pos, count [R] I32     rows.{l} [H_l * sum(pos+1)]
 * </pre>
 *
 * logits are those of rows answer_start + logitsShift and following. buffer.json holds the heads
 * that were selected, and size and SHA-256 of every file. Samples are held in memory; all else is
 * read each time it is asked for, and checked the first time and after every change of its file.
 */
public final class ReplayBuffer {
  private static final String INDEX = "buffer.json";
  private static final int VERSION = 1, MOST_HEADS = 1 << 20, CHUNK = 1 << 20;

  private final Path folder;
  private final int[][] heads;
  private final int logitsShift;
  private final List<Fingerprint> files;
  private final List<Sample> samples = new ArrayList<>();
  private final Map<Integer, Stamp> checked = new HashMap<>();

  /** A replay sample and its teacher's signals. */
  public sealed interface Signals {
    Sample sample();

    /** The captured rows, or null. */
    SampledQueries queries();

    /** F16 or F32. */
    DType logitsType();

    /** Logits of a row. */
    long V();

    /** Copies the logits to where they are wanted, [targets,V]. */
    void logits(Tensor to);

    /** [H_l * sum(pos+1)] attention rows of layer l, and of which type they were stored. */
    float[] rows(int l);

    DType rowsType(int l);
  }

  /**
   * The same in memory.
   *
   * @param logits [targets,V], or null
   * @param queries the captured rows, or null
   * @param rows by layer: [H_l * sum(pos+1)] attention rows, each row's heads end to end; null
   *     where a layer has none
   */
  public record Entry(Sample sample, Tensor logits, SampledQueries queries, Tensor[] rows)
      implements Signals {
    @Override
    public DType logitsType() {
      return logits.dtype();
    }

    @Override
    public long V() {
      return logits.dim(1);
    }

    @Override
    public void logits(Tensor to) {
      to.copyFrom(logits);
    }

    @Override
    public float[] rows(int l) {
      return rows[l].toFloats();
    }

    @Override
    public DType rowsType(int l) {
      return rows[l].dtype();
    }
  }

  private ReplayBuffer(Path folder, int[][] heads, int logitsShift, List<Fingerprint> files) {
    this.folder = folder;
    this.heads = heads;
    this.logitsShift = logitsShift;
    this.files = files;
  }

  /** The file that all others are checked by. */
  public static Path index(Path folder) {
    return folder.resolve(INDEX);
  }

  /** Selected heads by layer, ascending; empty where a layer has none. */
  public int[][] heads() {
    return heads;
  }

  /**
   * First row whose logits are stored, counted from the answer's first token: -1 predicts that
   * token, 0 is its own row.
   */
  public int logitsShift() {
    return logitsShift;
  }

  public int size() {
    return samples.size();
  }

  public Sample sample(int i) {
    return samples.get(i);
  }

  /** Bytes on disk. */
  public long bytes() {
    return Reading.size(folder);
  }

  /**
   * Writes a buffer, in place of one that is there: {@code fill} gives its samples in order.
   *
   * @param heads [L][], or of no layers where no rows are kept
   */
  public static void write(
      Path folder, int[][] heads, int logitsShift, Consumer<Consumer<Entry>> fill) {
    writeFiles(folder, heads, logitsShift, out -> fill.accept(entry -> out.accept(content(entry))));
  }

  /** The file of a sample. */
  public static Disk.Content content(Entry entry) {
    return SafetensorsWriter.content(tensors(entry));
  }

  /** The same of files that are made already, each the {@link #content} of a sample. */
  public static void writeFiles(
      Path folder, int[][] heads, int logitsShift, Consumer<Consumer<Disk.Content>> fill) {
    Disk.tree(
        folder,
        part -> {
          ArrayNode files = new ObjectMapper().createArrayNode();
          fill.accept(
              content -> {
                var written = Disk.put(file(part, files.size()), content);
                files.addObject().put("size", written.size()).put("sha256", written.sha256());
              });
          var json = new ObjectMapper().createObjectNode();
          json.put("version", VERSION).put("logits_shift", logitsShift);
          json.set("heads", new ObjectMapper().valueToTree(heads));
          json.set("files", files);
          Disk.put(index(part), Disk.Content.of(json + "\n"));
        });
  }

  private static LinkedHashMap<String, Tensor> tensors(Entry entry) {
    var tensors = new LinkedHashMap<String, Tensor>();
    tensors.put("tokens", Tensor.of(entry.sample.tokens()));
    tensors.put("answer_start", Tensor.of(new int[] {entry.sample.answerStart()}));
    if (entry.logits != null) tensors.put("logits", entry.logits);
    if (entry.queries != null) {
      tensors.put("pos", Tensor.of(entry.queries.pos()));
      tensors.put("count", Tensor.of(entry.queries.count()));
      for (int l = 0; l < entry.rows.length; l++) {
        if (entry.rows[l] != null) tensors.put("rows." + l, entry.rows[l]);
      }
    }
    return tensors;
  }

  /** Opens a buffer. Throws Failure when it is missing (66) or damaged (65). */
  public static ReplayBuffer open(Path folder) {
    Fields json = Fields.read(index(folder));
    int version = json.whole("version", 0, Integer.MAX_VALUE);
    if (version != VERSION)
      throw json.wrong("version", "%d, which this Seekr reads".formatted(VERSION));
    var files = new ArrayList<Fingerprint>();
    for (Fields file : json.sections("files")) files.add(Fingerprint.read(file));
    int[][] heads = json.lists("heads", 0, MOST_HEADS);
    for (int[] layer : heads)
      if (!ascending(layer, 0, MOST_HEADS)) throw json.wrong("heads", "each layer's ascending");
    var buffer =
        new ReplayBuffer(folder, heads, json.whole("logits_shift", -1, 0), List.copyOf(files));
    for (int i = 0; i < files.size(); i++) buffer.samples.add(buffer.readSample(i));
    return buffer;
  }

  private Sample readSample(int i) {
    Path file = file(folder, i);
    if (Reading.size(file) != files.get(i).size()) files.get(i).require(file);
    try (var tensors = Safetensors.open(file)) {
      return sample(file, tensors);
    }
  }

  private static Sample sample(Path file, Safetensors tensors) {
    int[] tokens = ints(file, tensors, "tokens"), start = ints(file, tensors, "answer_start");
    int answer = start.length == 1 ? start[0] : -1;
    if (answer < 1 || answer >= tokens.length)
      throw Failure.data(
          "%s: answer_start is %d of %d tokens; expected 1 to %d",
          file, answer, tokens.length, tokens.length - 1);
    return new Sample(tokens, answer);
  }

  /**
   * Entry i, to be read as it is asked for, and closed.
   *
   * @throws Failure (74) naming the file when it is missing or not as it was written
   */
  public Stored open(int i) {
    Path file = file(folder, i);
    var stamp = Reading.stamp(file);
    boolean known = stamp.isPresent() && stamp.get().equals(checked.get(i));
    if (!known) files.get(i).require(file);
    var stored = new Stored(Safetensors.open(file), samples.get(i));
    try {
      stored.check(!known);
    } catch (RuntimeException e) {
      stored.close();
      throw e;
    }
    stamp.ifPresent(s -> checked.put(i, s));
    return stored;
  }

  /** Reads entry i, its tensors into {@code memory}. Throws as {@link #open}. */
  public Entry read(int i, Memory memory) {
    try (var stored = open(i)) {
      Tensor logits = stored.in(memory, "logits");
      var rows = new Tensor[heads.length];
      Arrays.setAll(rows, l -> heads[l].length == 0 ? null : stored.in(memory, "rows." + l));
      return new Entry(stored.sample, logits, stored.queries, rows);
    }
  }

  /** An entry that lies on disk. */
  public final class Stored implements Signals, AutoCloseable {
    private final Safetensors from;
    private final Sample sample;
    private SampledQueries queries;

    private Stored(Safetensors from, Sample sample) {
      this.from = from;
      this.sample = sample;
    }

    /** Shapes and types, and of a file that is not {@link #checked} that all numbers are finite. */
    private void check(boolean fresh) {
      boolean captured = from.has("pos") || Arrays.stream(heads).anyMatch(h -> h.length > 0);
      if (captured) queries = readQueries();
      for (int l = 0; l < heads.length; l++) {
        if (heads[l].length == 0) continue;
        String name = "rows." + l;
        signal(name, fresh);
        long size = Tensor.size(from.shape(name));
        if (size != heads[l].length * queries.entries())
          throw Failure.data(
              "%s: %s has %d entries; expected %d",
              from.file(), name, size, heads[l].length * queries.entries());
      }
      if (!from.has("logits")) return;
      signal("logits", fresh);
      long[] shape = from.shape("logits");
      if (shape.length != 2 || shape[0] != sample.targets())
        throw Failure.data(
            "%s: logits are %s; expected %d rows",
            from.file(), Arrays.toString(shape), sample.targets());
    }

    private SampledQueries readQueries() {
      int[] pos = ints(from.file(), from, "pos"), count = ints(from.file(), from, "count");
      if (pos.length == 0 || !ascending(pos, 0, sample.length()))
        throw Failure.data(
            "%s: pos is %s; expected rows of %d tokens, ascending",
            from.file(), Arrays.toString(pos), sample.length());
      long budget = Arrays.stream(count).asLongStream().sum();
      if (count.length != pos.length
          || Arrays.stream(count).anyMatch(c -> c < 1)
          || budget > Integer.MAX_VALUE)
        throw Failure.data(
            "%s: count is %s; expected how often each of %d rows was drawn",
            from.file(), Arrays.toString(count), pos.length);
      return new SampledQueries(pos, count);
    }

    /** F16 or F32, and finite where that is looked at. */
    private void signal(String name, boolean fresh) {
      DType type = from.type(name);
      if (type != DType.F16 && type != DType.F32)
        throw Failure.data("%s: %s is of %s; expected F16 or F32", from.file(), name, type);
      long n = Tensor.size(from.shape(name));
      for (long at = 0; fresh && at < n; at += CHUNK) {
        var values = new float[(int) Math.min(CHUNK, n - at)];
        from.read(name, at, Tensor.of(values));
        for (float v : values)
          if (!Float.isFinite(v))
            throw Failure.data("%s: %s holds NaN or an infinity", from.file(), name);
      }
    }

    private Tensor in(Memory memory, String name) {
      if (!from.has(name)) return null;
      Tensor t = memory.allocate("stored signals", from.type(name), from.shape(name));
      from.read(name, t);
      return t;
    }

    @Override
    public Sample sample() {
      return sample;
    }

    @Override
    public SampledQueries queries() {
      return queries;
    }

    @Override
    public DType logitsType() {
      return from.type("logits");
    }

    @Override
    public long V() {
      return from.shape("logits")[1];
    }

    @Override
    public void logits(Tensor to) {
      from.read("logits", to);
    }

    @Override
    public float[] rows(int l) {
      return from.get("rows." + l).toFloats();
    }

    @Override
    public DType rowsType(int l) {
      return from.type("rows." + l);
    }

    @Override
    public void close() {
      from.close();
    }
  }

  private static int[] ints(Path file, Safetensors from, String name) {
    if (from.type(name) != DType.I32 || from.shape(name).length != 1)
      throw Failure.data(
          "%s: %s is %s%s; expected a list of I32",
          file, name, from.type(name), Arrays.toString(from.shape(name)));
    return from.get(name).toInts();
  }

  /** Whether each is from {@code least} to {@code below} - 1 and more than the one before. */
  private static boolean ascending(int[] values, int least, int below) {
    int last = least - 1;
    for (int value : values) {
      if (value <= last || value >= below) return false;
      last = value;
    }
    return true;
  }

  private static Path file(Path folder, int i) {
    return folder.resolve("%06d.safetensors".formatted(i));
  }
}
