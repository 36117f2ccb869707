package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;
import java.util.function.IntUnaryOperator;

/**
 * The kernels a LLaMA needs, by family, forward beside backward. Formulas stand in {@code
 * native/include/seekr.h}; with the methods, or with the records they take, stand the shapes.
 * Letters: N packed tokens of S sequences ({@code cu} [S+1] I32: sequence s is rows cu[s] to
 * cu[s+1]), C channels, F feed-forward width, V vocabulary, HS head size, NH query heads, NKV
 * key-value heads, R selected rows. "+=" outputs are added to, all others overwritten.
 *
 * <p>Weights as the model reads them, activations and their gradients are of one type E, {@link
 * #dtype()}: F32, BF16 or F16. Floating tensors are of E where no type is written beside them. F32
 * beside one means {@link #wide()}: what sums are kept in (gradients of weights, statistics) and
 * all that an optimizer sees stay in single precision, whatever E is.
 *
 * <p>Every implementation gives the same bits for the same call, and serves one thread at a time.
 */
public interface Ops
    extends ProductOps, ElementwiseOps, AttentionOps, LossOps, OptimizerOps, AutoCloseable {
  /** Shape of one attention layer. */
  record Heads(int NH, int NKV, int HS) {
    /** Width of a packed row of queries, keys and values. */
    public int qkvWidth() {
      return (NH + 2 * NKV) * HS;
    }

    /** 1/sqrt(HS), what LLaMA multiplies scores by. */
    public double scale() {
      return 1 / Math.sqrt(HS);
    }
  }

  /** What {@link #loss} compares with stored teacher logits, and how. */
  enum Distance {
    /** Kullback-Leibler divergence KL(teacher || student). */
    KL,
    /** Soft-target cross-entropy: KL plus the teacher's entropy, the same gradient. */
    CROSS_ENTROPY,
    /** Mean square difference of raw logits. */
    MSE
  }

  /** E: the element type of activations and of weights as the model reads them. */
  DType dtype();

  /** What F32 means here: F64 where E is F64, as in references for tests, else F32 itself. */
  default DType wide() {
    return dtype() == DType.F64 ? DType.F64 : DType.F32;
  }

  /** Name and instruction set or device, for logs. */
  String description();

  /**
   * What the bits of results depend on: libraries and instruction set, not the number of threads.
   */
  default String arithmetic() {
    return description();
  }

  /** x = 0; of E or F32. */
  default void zero(Tensor x) {
    run(Op.ZERO, new Vector(x, dtype().bytes));
  }

  /** Where this library's floating tensors lie. Integers and F64 results always lie on the host. */
  default Place place() {
    return Place.HOST;
  }

  /** The time of what this library computes. */
  default Clock clock() {
    return Clock.HOST;
  }

  /** A tensor of E this library can compute with, from {@code memory}. */
  default Tensor allocate(Memory memory, String tag, long... shape) {
    return allocate(memory, tag, dtype(), shape);
  }

  /** The same, of another floating type that an operation asks for, {@link #wide} most often. */
  default Tensor allocate(Memory memory, String tag, DType dtype, long... shape) {
    return memory.allocate(place(), tag, dtype, shape);
  }

  /**
   * How many rows of logits of V the output layer holds at a time. The gradient of its weights is
   * read and written once for so many rows: the faster products are beside memory, the more.
   */
  default int logitRows(int V) {
    return LOGIT_ROWS.applyAsInt(V);
  }

  /** Where products are slow: at most 16 million elements. */
  IntUnaryOperator LOGIT_ROWS = V -> Math.clamp((1 << 24) / V, 1, 256);

  /**
   * What computes in {@link #wide} on the host beside {@link #place}; this where this does. It
   * lives as long as this.
   */
  default Ops host() {
    if (dtype() == wide() && place() == Place.HOST) return this;
    throw new IllegalStateException("nothing computes beside " + description());
  }

  /** Says how many bytes of {@link #place} will be needed, for one allocation in place of many. */
  default void reserve(long bytes) {}

  @Override
  void close();
}
