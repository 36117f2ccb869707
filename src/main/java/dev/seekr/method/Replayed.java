package dev.seekr.method;

import dev.seekr.data.Batch;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import java.util.List;

/** Entry {@code index} of an earlier task's buffer, on its way into a batch. */
public record Replayed(ReplayBuffer buffer, int index) {
  public ReplayBuffer.Entry entry() {
    return buffer.entry(index);
  }

  public Sample sample() {
    return entry().sample();
  }

  static Batch batch(List<Replayed> replayed) {
    return new Batch(replayed.stream().map(Replayed::sample).toList());
  }
}
