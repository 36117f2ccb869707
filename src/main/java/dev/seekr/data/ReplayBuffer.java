package dev.seekr.data;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.tensor.Safetensors;
import dev.seekr.tensor.SafetensorsWriter;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * What is kept of one finished task: its replay samples and, beside each, what the model of that
 * time said of them. A folder with one safetensors file a sample, mapped and not read, so that a
 * buffer costs address space and no memory:
 *
 * <pre>
 *   tokens [n] I32     answer_start [1] I32     logits [targets,V]     pos, count [R] I32     rows.{l} [H_l * sum(pos+1)]
 * </pre>
 *
 * logits are those of rows answer_start + logitsShift and following. buffer.json holds the heads
 * that were selected.
 */
public final class ReplayBuffer implements AutoCloseable {
  private static final String INDEX = "buffer.json";

  private final List<Entry> entries = new ArrayList<>();
  private final List<Safetensors> files = new ArrayList<>();
  private final int[][] heads;
  private final int logitsShift;

  /**
   * One replay sample and its teacher's signals.
   *
   * @param logits [targets,V], or null
   * @param queries the captured rows, or null
   * @param rows by layer: [H_l * sum(pos+1)] attention rows, each row's heads end to end; null
   *     where a layer has none
   */
  public record Entry(Sample sample, Tensor logits, Queries queries, Tensor[] rows) {}

  private ReplayBuffer(int[][] heads, int logitsShift) {
    this.heads = heads;
    this.logitsShift = logitsShift;
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
    return entries.size();
  }

  public Entry entry(int i) {
    return entries.get(i);
  }

  /** Bytes on disk. */
  public static long bytes(Path folder) {
    try (var list = Files.list(folder)) {
      long sum = 0;
      for (Path p : (Iterable<Path>) list::iterator) sum += Files.size(p);
      return sum;
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, folder + ": cannot be listed: " + e, e);
    }
  }

  /** Writes sample i of a buffer. */
  public static void write(Path folder, int i, Entry entry) {
    Map<String, Tensor> tensors = new LinkedHashMap<>();
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
    create(folder);
    SafetensorsWriter.write(file(folder, i), tensors, Map.of());
  }

  /** Completes a buffer of {@code size} samples: without it, the folder is no buffer. */
  public static void finish(Path folder, int size, int[][] heads, int logitsShift) {
    var json = new ObjectMapper().createObjectNode();
    json.put("size", size);
    json.put("logits_shift", logitsShift);
    json.set("heads", new ObjectMapper().valueToTree(heads));
    create(folder);
    try {
      Files.writeString(folder.resolve(INDEX), json + "\n");
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, folder + ": the replay buffer cannot be written: " + e, e);
    }
  }

  /** Maps a buffer. Throws Failure when it is missing (66) or damaged (65). */
  public static ReplayBuffer open(Path folder) {
    Path index = folder.resolve(INDEX);
    JsonNode json;
    try {
      json = new ObjectMapper().readTree(Files.readString(index));
    } catch (JsonProcessingException e) {
      throw Failure.data("%s: not JSON: %s", index, e.getOriginalMessage());
    } catch (IOException e) {
      throw Failure.input("%s: cannot be read: %s", index, e);
    }
    JsonNode layers = json.path("heads");
    int[][] heads = new int[layers.size()][];
    for (int l = 0; l < heads.length; l++) {
      heads[l] = new int[layers.get(l).size()];
      for (int h = 0; h < heads[l].length; h++) heads[l][h] = layers.get(l).get(h).asInt();
    }
    var buffer = new ReplayBuffer(heads, json.path("logits_shift").asInt());
    for (int i = 0; i < json.path("size").asInt(); i++) buffer.map(file(folder, i));
    return buffer;
  }

  private void map(Path file) {
    var tensors = Safetensors.open(file);
    files.add(tensors);
    var sample = new Sample(tensors.get("tokens").toInts(), tensors.get("answer_start").getInt(0));
    Queries queries = null;
    Tensor[] rows = new Tensor[heads.length];
    if (tensors.has("pos")) {
      queries = new Queries(tensors.get("pos").toInts(), tensors.get("count").toInts());
      for (int l = 0; l < rows.length; l++) {
        if (heads[l].length == 0) continue;
        rows[l] = tensors.get("rows." + l);
        if (rows[l].size() != heads[l].length * queries.entries()) {
          throw Failure.data(
              "%s: rows.%d has %d entries; expected %d",
              file, l, rows[l].size(), heads[l].length * queries.entries());
        }
      }
    }
    entries.add(
        new Entry(sample, tensors.has("logits") ? tensors.get("logits") : null, queries, rows));
  }

  private static Path file(Path folder, int i) {
    return folder.resolve("%06d.safetensors".formatted(i));
  }

  private static void create(Path folder) {
    try {
      Files.createDirectories(folder);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.CREATE, folder + ": the folder cannot be made: " + e, e);
    }
  }

  @Override
  public void close() {
    files.forEach(Safetensors::close);
    files.clear();
    entries.clear();
  }
}
