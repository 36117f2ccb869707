package dev.seekr.data;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import dev.seekr.Failure;
import dev.seekr.disk.Disk;
import dev.seekr.disk.Fields;
import dev.seekr.disk.Fingerprint;
import dev.seekr.disk.Reading;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Safetensors;
import dev.seekr.tensor.SafetensorsWriter;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
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
 * read, and checked, each time it is asked for.
 */
public final class ReplayBuffer {
  private static final String INDEX = "buffer.json";
  private static final int VERSION = 1, MOST_HEADS = 1 << 20;

  private final Path folder;
  private final int[][] heads;
  private final int logitsShift;
  private final List<Fingerprint> files;
  private final List<Sample> samples = new ArrayList<>();

  /**
   * One replay sample and its teacher's signals.
   *
   * @param logits [targets,V], or null
   * @param queries the captured rows, or null
   * @param rows by layer: [H_l * sum(pos+1)] attention rows, each row's heads end to end; null
   *     where a layer has none
   */
  public record Entry(Sample sample, Tensor logits, SampledQueries queries, Tensor[] rows) {}

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
    Disk.tree(
        folder,
        part -> {
          ArrayNode files = new ObjectMapper().createArrayNode();
          fill.accept(
              entry -> {
                var content = SafetensorsWriter.content(tensors(entry));
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
    for (Fields file : json.sections("files"))
      files.add(new Fingerprint(file.longWhole("size"), file.text("sha256")));
    var buffer =
        new ReplayBuffer(
            folder,
            json.lists("heads", 0, MOST_HEADS),
            json.whole("logits_shift", -1, 0),
            List.copyOf(files));
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
    int[] tokens = tensors.get("tokens").toInts();
    Tensor start = tensors.get("answer_start");
    int answer = start.size() == 1 ? start.getInt(0) : -1;
    if (answer < 1 || answer >= tokens.length)
      throw Failure.data(
          "%s: answer_start is %d of %d tokens; expected 1 to %d",
          file, answer, tokens.length, tokens.length - 1);
    return new Sample(tokens, answer);
  }

  /**
   * Reads entry i, its tensors into {@code memory}.
   *
   * @throws Failure (74) naming the file when it is missing or not as it was written
   */
  public Entry read(int i, Memory memory) {
    Path file = file(folder, i);
    files.get(i).require(file);
    try (var tensors = Safetensors.open(file)) {
      SampledQueries queries = null;
      Tensor[] rows = new Tensor[heads.length];
      if (tensors.has("pos")) {
        queries = new SampledQueries(tensors.get("pos").toInts(), tensors.get("count").toInts());
        for (int l = 0; l < rows.length; l++) {
          if (heads[l].length > 0) rows[l] = rows(file, tensors, l, queries, memory);
        }
      }
      Tensor logits = tensors.has("logits") ? copy(tensors, "logits", memory) : null;
      return new Entry(samples.get(i), logits, queries, rows);
    }
  }

  private Tensor rows(Path file, Safetensors from, int l, SampledQueries queries, Memory memory) {
    Tensor rows = copy(from, "rows." + l, memory);
    if (rows.size() != heads[l].length * queries.entries()) {
      throw Failure.data(
          "%s: rows.%d has %d entries; expected %d",
          file, l, rows.size(), heads[l].length * queries.entries());
    }
    return rows;
  }

  private static Tensor copy(Safetensors from, String name, Memory memory) {
    Tensor t = memory.allocate("stored signals", from.type(name), from.shape(name));
    from.read(name, t);
    return t;
  }

  private static Path file(Path folder, int i) {
    return folder.resolve("%06d.safetensors".formatted(i));
  }
}
