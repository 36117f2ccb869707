package dev.seekr.method;

import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** What a model once said of samples, as {@link Teacher} recorded it, found again by sample. */
final class RecordedLogits {
  private final ReplayBuffer buffer;
  private final Map<Sample, Integer> index = new HashMap<>();

  /** Those that lie in {@code folder}. */
  RecordedLogits(Path folder) {
    buffer = ReplayBuffer.open(folder);
    for (int i = 0; i < buffer.size(); i++) index.putIfAbsent(buffer.sample(i), i);
  }

  int size() {
    return buffer.size();
  }

  /** Logits [R,V] of all rows that predict tokens of these samples' answers, in {@code memory}. */
  Tensor of(List<Sample> samples, Memory memory) {
    int R = samples.stream().mapToInt(Sample::targets).sum(), r = 0;
    Tensor out = null;
    for (Sample sample : samples) {
      try (var one = new Memory("stored signals")) {
        Tensor stored = buffer.read(index.get(sample), one).logits();
        if (out == null) out = memory.allocate("teacher logits", stored.dtype(), R, stored.dim(1));
        out.rows(r, r + sample.targets()).copyFrom(stored);
      }
      r += sample.targets();
    }
    return out;
  }
}
