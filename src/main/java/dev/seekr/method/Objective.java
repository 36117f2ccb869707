package dev.seekr.method;

import dev.seekr.data.Batch;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.Pass;
import dev.seekr.tensor.Memory;

/**
 * What one forward and backward pass is to minimise: the batch it runs, losses of the output layer,
 * taps of the attention, and how their results are booked.
 *
 * @param memory what the losses read lies in; freed by {@link #close}
 */
public record Objective(
    Batch batch, OutputLoss output, AttentionTap tap, Memory memory, Booking booking)
    implements AutoCloseable {

  /** Books the results of the pass by name. */
  public interface Booking {
    void book(Pass.Tapped tapped, Losses into);
  }

  @Override
  public void close() {
    memory.close();
  }
}
