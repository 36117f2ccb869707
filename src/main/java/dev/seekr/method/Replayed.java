package dev.seekr.method;

import dev.seekr.data.Batch;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.tensor.Memory;
import java.util.List;

/** Entry {@code index} of an earlier task's buffer, on its way into a batch. */
public record Replayed(ReplayBuffer buffer, int index) {
  public Sample sample() {
    return buffer.sample(index);
  }

  /** The sample and what is stored with it, read into {@code memory}. */
  public ReplayBuffer.Entry read(Memory memory) {
    return buffer.read(index, memory);
  }

  static Batch batch(List<Replayed> replayed) {
    return new Batch(replayed.stream().map(Replayed::sample).toList());
  }

  static int targets(List<Replayed> replayed) {
    return replayed.stream().mapToInt(r -> r.sample().targets()).sum();
  }
}
