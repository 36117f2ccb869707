package dev.seekr.trainer;

import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import dev.seekr.trainer.AdamW.Part;
import java.util.function.Consumer;

/**
 * Weights that are stepped on the host, on their way to the device that reads them: in pieces, each
 * sent while the next one is stepped.
 */
final class Sending {
  /** Elements in a piece. */
  private static final long PIECE = 1 << 22;

  private final Ops device;
  private final Tensor[] pieces = new Tensor[2]; // beside the device
  private final Runnable[] sent = new Runnable[2]; // null: nothing is on its way
  private int next;

  Sending(Ops device, Memory memory) {
    this.device = device;
    for (int i = 0; i < pieces.length; i++)
      pieces[i] = memory.beside(device.place(), "optimizer", device.dtype(), PIECE);
  }

  /** Steps a part's pieces one after the other and sends what they are rounded to. */
  void step(Part part, Consumer<Part> step) {
    for (long from = 0; from < part.w().size(); from += PIECE) {
      long n = Math.min(PIECE, part.w().size() - from);
      free(next);
      Tensor rounded = pieces[next].view(0, n);
      step.accept(part.of(from, n, rounded));
      sent[next] = device.place().come(part.read().view(from, n).data(), rounded.data());
      next = (next + 1) % pieces.length;
    }
  }

  /** All pieces can be written to. */
  void finish() {
    for (int i = 0; i < pieces.length; i++) free(i);
  }

  private void free(int piece) {
    if (sent[piece] != null) sent[piece].run();
    sent[piece] = null;
  }
}
