package dev.seekr.backends;

import dev.seekr.config.RunSettings;
import dev.seekr.distributed.Collectives;
import dev.seekr.distributed.Launch;
import dev.seekr.distributed.Wire;
import dev.seekr.distributed.WireCollectives;
import dev.seekr.ops.ForwardingOps;
import dev.seekr.ops.Ops;
import dev.seekr.ops.cuda.CudaOps;
import dev.seekr.ops.cuda.Nccl;
import dev.seekr.ops.cuda.NcclWire;
import dev.seekr.ops.ffm.FfmOps;
import dev.seekr.ops.ffm.NativeLibrary;
import dev.seekr.ops.ffm.OneDnn;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntUnaryOperator;

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
  public static Ops open(RunSettings run) {
    return open(run, 0);
  }

  /**
   * The same for one of several processes.
   *
   * @param local which of those on this machine it is, from 0
   */
  public static Ops open(RunSettings run, int local) {
    DType dtype = type(run.dtype());
    return switch (run.backend()) {
      case auto -> auto(run);
      case cpu -> cpu(run);
      case cuda -> CudaOps.open(dtype, run.threads(), local);
      case reference -> new ReferenceOps(dtype);
    };
  }

  /** What ties the devices of processes together. */
  public interface Connection extends AutoCloseable {
    @Override
    void close();
  }

  /**
   * Lets the processes of a run reach each other's tensors where these lie on devices. All of them
   * call it; what it returns is closed before {@code ops}.
   */
  public static Connection connect(Ops ops, Collectives all) {
    if (!(ops instanceof CudaOps cuda) || !(all instanceof WireCollectives together))
      return () -> {};
    var nccl = Nccl.join(cuda.device(), together.wire());
    together.device(nccl);
    return nccl::close;
  }

  /**
   * Processes with a device each, that no MPI connects, where variable {@code SEEKR_NCCL_ID} says
   * so.
   */
  public static Optional<Wire> wire(Launch launch) {
    if (System.getenv(Nccl.ID_FILE) == null) return Optional.empty();
    return Optional.of(NcclWire.open(launch.rank(), launch.ranks(), launch.localRank()));
  }

  /**
   * Bytes that the place of the backend which {@code run} names holds beside tensors, by what they
   * are for: see {@link CudaOps#beside}. Of others there are none.
   */
  public static Map<String, Long> beside(RunSettings run, long tokens, long NH, long C) {
    return run.backend() == RunSettings.Backend.cuda ? CudaOps.beside(tokens, NH, C) : Map.of();
  }

  /** What the backend which {@code run} names says of {@link Ops#logitRows}. */
  public static IntUnaryOperator logitRows(RunSettings run) {
    if (run.backend() == RunSettings.Backend.cuda) return CudaOps::rowsOfLogits;
    return Ops.LOGIT_ROWS;
  }

  /** The element type of that name. */
  public static DType type(RunSettings.Floats name) {
    return name == RunSettings.Floats.bf16 ? DType.BF16 : DType.F32;
  }

  private static Ops cpu(RunSettings run) {
    return new FfmOps(
        NativeLibrary.cpu(),
        OneDnn.load(),
        type(run.dtype()),
        "auto",
        run.threads(),
        run.isa().name());
  }

  private static Ops auto(RunSettings run) {
    return new ForwardingOps(cpu(run)) {
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
