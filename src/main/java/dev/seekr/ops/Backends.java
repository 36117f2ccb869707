package dev.seekr.ops;

import dev.seekr.config.RunConfig;
import dev.seekr.tensor.DType;

/**
 * Chooses what computes. The choice is the user's; a library that cannot be loaded is an error,
 * never a reason to take another.
 */
public final class Backends {
  private Backends() {}

  /**
   * Opens the backend that {@code run} names; {@code auto} is cpu. {@link Ops#description} says
   * what was opened.
   */
  public static Ops open(RunConfig.Run run) {
    return switch (run.backend()) {
      case auto, cpu -> new NativeOps(NativeLibrary.cpu(), OneDnn.load(), run.threads(), run.isa());
      case cuda -> CudaOps.open();
      case reference -> new ReferenceOps(DType.F32);
    };
  }
}
