package dev.seekr.ops;

import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.Locale;

/**
 * Chooses what computes. The choice is the user's; a library that cannot be loaded is an error,
 * never a reason to take another.
 */
public final class Backends {
  private Backends() {}

  /**
   * Opens the backend that {@code run} names; {@code auto} is cpu. {@link Ops#description} says
   * what was opened, and of {@code auto} why.
   */
  public static Ops open(RunConfig.Run run) {
    DType dtype = DType.valueOf(run.dtype().toUpperCase(Locale.ROOT));
    boolean any =
        run.backend() == RunConfig.Backend.cuda || run.backend() == RunConfig.Backend.reference;
    if (dtype != DType.F32 && !any)
      throw Failure.config(
          "run.dtype=%s: backend %s computes in f32 alone; bf16 is for run.backend=cuda or reference",
          run.dtype(), run.backend());
    return switch (run.backend()) {
      case auto -> auto(run);
      case cpu -> new NativeOps(NativeLibrary.cpu(), OneDnn.load(), run.threads(), run.isa());
      case cuda -> CudaOps.open(dtype);
      case reference -> new ReferenceOps(dtype);
    };
  }

  private static Ops auto(RunConfig.Run run) {
    return new NativeOps(NativeLibrary.cpu(), OneDnn.load(), run.threads(), run.isa()) {
      @Override
      public String description() {
        return super.description() + "; chosen because " + whyNotCuda();
      }
    };
  }

  private static String whyNotCuda() {
    String driver = "libcuda.so.1";
    try (var arena = Arena.ofConfined()) {
      SymbolLookup.libraryLookup(driver, arena);
      return "a GPU is used only when asked for (backend=cuda)";
    } catch (IllegalArgumentException e) {
      return "there is no NVIDIA driver (" + driver + ")";
    }
  }
}
