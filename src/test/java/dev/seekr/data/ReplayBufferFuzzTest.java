package dev.seekr.data;

import dev.seekr.Failure.Exit;
import dev.seekr.FuzzTarget;
import dev.seekr.disk.Reading;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * buffer.json up to the first byte 0, then the file of its first sample. SIZE and SHA256 in the
 * former stand for those of the latter, so that what else is wrong is found too.
 */
class ReplayBufferFuzzTest extends FuzzTarget {
  ReplayBufferFuzzTest() {
    super("buffer.json", Exit.DATA, Exit.INPUT, Exit.IO);
  }

  @Override
  protected Path write(Path folder, byte[] input) throws IOException {
    int end = 0;
    while (end < input.length && input[end] != 0) end++;
    byte[] sample = Arrays.copyOfRange(input, Math.min(end + 1, input.length), input.length);
    var written = Reading.fingerprint(Files.write(folder.resolve("000000.safetensors"), sample));
    String index =
        new String(input, 0, end, StandardCharsets.ISO_8859_1)
            .replace("SIZE", "" + written.size())
            .replace("SHA256", written.sha256());
    return Files.writeString(ReplayBuffer.index(folder), index, StandardCharsets.ISO_8859_1);
  }

  @Override
  protected Object read(Path file) {
    var buffer = ReplayBuffer.open(file.getParent());
    var all = new ArrayList<Object>(List.of(Arrays.deepToString(buffer.heads())));
    for (int[] heads : buffer.heads()) ascending(heads, Integer.MAX_VALUE);
    for (int i = 0; i < buffer.size(); i++) {
      try (var memory = new Memory("fuzz")) {
        all.add(sound(buffer, buffer.read(i, memory)));
      }
    }
    return all;
  }

  /** Of an entry, all numbers in it. */
  private static Object sound(ReplayBuffer buffer, ReplayBuffer.Entry entry) {
    var all = new ArrayList<Object>(List.of(entry.sample()));
    int n = entry.sample().length();
    if (entry.logits() != null) {
      sound(entry.logits().dim(0) == entry.sample().targets(), "logits " + entry.logits());
      all.add(finite(entry.logits()));
    }
    sound(entry.rows().length == buffer.heads().length, entry.rows().length + " layers");
    if (entry.queries() == null) return all;
    ascending(entry.queries().pos(), n);
    sound(entry.queries().count().length == entry.queries().pos().length, "counts");
    for (int count : entry.queries().count()) sound(count > 0, "a row drawn " + count + " times");
    sound(entry.queries().budget() > 0, "budget " + entry.queries().budget());
    for (int l = 0; l < entry.rows().length; l++) {
      Tensor rows = entry.rows()[l];
      int heads = buffer.heads()[l].length;
      sound((rows == null) == (heads == 0), "rows of layer " + l);
      if (rows == null) continue;
      sound(rows.size() == heads * entry.queries().entries(), "rows " + rows);
      all.add(finite(rows));
    }
    return all;
  }

  private static void ascending(int[] values, int below) {
    for (int i = 0; i < values.length; i++)
      sound(
          values[i] >= 0 && values[i] < below && (i == 0 || values[i] > values[i - 1]),
          Arrays.toString(values));
  }

  private static int finite(Tensor t) {
    double[] values = t.toDoubles();
    for (double v : values) sound(Double.isFinite(v), "" + v);
    return Arrays.hashCode(values);
  }
}
