package dev.seekr.method;

import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;

/** Entry {@code index} of an earlier task's buffer, on its way into a batch. */
public record Replayed(ReplayBuffer buffer, int index) {
  public ReplayBuffer.Entry entry() {
    return buffer.entry(index);
  }

  public Sample sample() {
    return entry().sample();
  }
}
