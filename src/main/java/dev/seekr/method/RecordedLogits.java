package dev.seekr.method;

import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
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

  /**
   * Logits [R,V] of all rows that predict tokens of these samples' answers, where {@code ops} read
   * them: as they were stored, or F32 and times a factor that is not 1.
   */
  Tensor of(List<Sample> samples, float factor, Ops ops, Memory memory) {
    int R = samples.stream().mapToInt(Sample::targets).sum(), r = 0;
    Tensor out = null;
    for (Sample sample : samples) {
      try (var stored = buffer.open(index.get(sample))) {
        DType dtype = factor == 1 ? stored.logitsType() : DType.F32;
        if (out == null) out = ops.allocate(memory, "teacher logits", dtype, R, stored.V());
        Tensor rows = out.rows(r, r + sample.targets());
        if (factor == 1) stored.logits(rows);
        else rows.copyFrom(scaled(stored, factor));
      }
      r += sample.targets();
    }
    return out;
  }

  private static float[] scaled(ReplayBuffer.Stored stored, float factor) {
    float[] values = new float[Math.toIntExact(stored.sample().targets() * stored.V())];
    stored.logits(Tensor.of(values, stored.sample().targets(), stored.V()));
    for (int i = 0; i < values.length; i++) values[i] *= factor;
    return values;
  }
}
