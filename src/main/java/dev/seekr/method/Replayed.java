package dev.seekr.method;

import dev.seekr.data.Batch;
import dev.seekr.data.ReplayBuffer;
import dev.seekr.data.Sample;
import dev.seekr.tensor.Memory;
import java.util.ArrayList;
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

  /** What is stored with samples, read as it is asked for. */
  record Opened(List<ReplayBuffer.Stored> signals) implements AutoCloseable {
    @Override
    public void close() {
      signals.forEach(ReplayBuffer.Stored::close);
    }
  }

  static Opened open(List<Replayed> replayed) {
    var opened = new Opened(new ArrayList<>());
    try {
      for (Replayed r : replayed) opened.signals.add(r.buffer.open(r.index));
      return opened;
    } catch (RuntimeException e) {
      opened.close();
      throw e;
    }
  }

  static Batch batch(List<Replayed> replayed) {
    return new Batch(replayed.stream().map(Replayed::sample).toList());
  }

  static int targets(List<Replayed> replayed) {
    return replayed.stream().mapToInt(r -> r.sample().targets()).sum();
  }
}
