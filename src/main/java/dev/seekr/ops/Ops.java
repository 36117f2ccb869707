package dev.seekr.ops;

import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;

/**
 * The kernels a LLaMA needs, forward beside backward. Formulas stand in {@code
 * native/include/seekr.h}; here are the shapes. Letters: N packed tokens of S sequences ({@code cu}
 * [S+1] I32: sequence s is rows cu[s] to cu[s+1]), C channels, F feed-forward width, V vocabulary,
 * HS head size, NH query heads, NKV key-value heads, R selected rows. "+=" outputs are added to,
 * all others overwritten.
 *
 * <p>Weights as the model reads them, activations and their gradients are of one type E, {@link
 * #dtype()}: F32, BF16 or F16. Floating tensors are of E where no type is written beside them. F32
 * beside one means {@link #wide()}: what sums are kept in (gradients of weights, statistics) and
 * all that an optimizer sees stay in single precision, whatever E is.
 *
 * <p>Every implementation throws {@link dev.seekr.Failure} (exit 70) when a kernel reports an
 * error, and gives the same bits for the same call.
 */
public interface Ops extends AutoCloseable {
  /** Shape of one attention layer. */
  record Heads(int NH, int NKV, int HS) {
    /** Width of a packed row of queries, keys and values. */
    public int qkvWidth() {
      return (NH + 2 * NKV) * HS;
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

  /**
   * y [M,N] = A B (+ y when accumulate); a is [M,K], or [K,M] when ta; b is [K,N], or [N,K] when
   * tb. y is of E, or F32; it is rounded once, when the sum over K is complete.
   */
  void matmul(Tensor y, Tensor a, Tensor b, boolean ta, boolean tb, boolean accumulate);

  /** y [N,OC] = x [N,C] w[OC,C]^T, or += when accumulate. */
  default void linearForward(Tensor y, Tensor x, Tensor w, boolean accumulate) {
    matmul(y, x, w, false, true, accumulate);
  }

  /** dx [N,C] = dy [N,OC] w[OC,C], or += when accumulate. */
  default void linearBackwardInput(Tensor dx, Tensor dy, Tensor w, boolean accumulate) {
    matmul(dx, dy, w, false, false, accumulate);
  }

  /** dw [OC,C] F32 += dy [N,OC]^T x [N,C]. */
  default void linearBackwardWeight(Tensor dw, Tensor dy, Tensor x) {
    linearBackwardWeight(dw, dy, x, true);
  }

  /** The same, or when not {@code accumulate} dw = dy^T x. */
  default void linearBackwardWeight(Tensor dw, Tensor dy, Tensor x, boolean accumulate) {
    matmul(dw, dy, x, true, false, accumulate);
  }

  /** x [N,C] = w[tokens], tokens [N] I32, w [V,C]; rows of token -1 stay as they are. */
  void embeddingForward(Tensor x, Tensor tokens, Tensor w);

  /** dw [V,C] F32 += scattered dx [N,C], but for rows of token -1. */
  void embeddingBackward(Tensor dw, Tensor tokens, Tensor dx);

  /**
   * x [N,C] = a + b, y = rmsnorm(x) w, rstd [N] F32. With b null, a is the input and x is not
   * touched. What is normalised is x as it is stored.
   */
  void rmsnormForward(Tensor y, Tensor x, Tensor rstd, Tensor a, Tensor b, Tensor w, float eps);

  /**
   * dx [N,C] +=, dw [C] F32 += (null: not wanted), from dy, the input x that was normalised, rstd
   * [N] F32 and w [C].
   */
  void rmsnormBackward(Tensor dx, Tensor dw, Tensor dy, Tensor x, Tensor rstd, Tensor w);

  /**
   * Rotates queries and keys of qkv [N, (NH+2NKV) HS] in place; positions [N] I32; cos, sin [P,
   * HS/2] F32.
   */
  void ropeForward(Tensor qkv, Tensor positions, Tensor cos, Tensor sin, Heads heads);

  /** Rotates the gradient back, in place. */
  void ropeBackward(Tensor dqkv, Tensor positions, Tensor cos, Tensor sin, Heads heads);

  /** o [N, NH HS], lse [N, NH] F32 of causal attention inside each sequence. */
  void attentionForward(Tensor o, Tensor lse, Tensor qkv, Tensor cu, Heads heads);

  /**
   * dqkv from dout, o [N, NH HS] and lse [N, NH] F32. When {@code sens} is not null: sens [S,NH]
   * F64 = sums of squares of dL/dA over causal entries (without the distillation's own gradient).
   * When {@code rows} is not null: distils them, kl [R,H] F64 = KL of each.
   */
  void attentionBackward(
      Tensor dqkv,
      Tensor sens,
      Tensor kl,
      Tensor dout,
      Tensor qkv,
      Tensor o,
      Tensor lse,
      Tensor cu,
      Heads heads,
      AttentionRows rows,
      float eps);

  /** Writes the softmax rows that {@code rows} names into rows.p() F32; lse [N, NH] F32. */
  void attentionCapture(AttentionRows rows, Tensor qkv, Tensor lse, Tensor cu, Heads heads);

  /**
   * diff [S,NH] F64 = sums of (A - A')^2 over all rows, or over the sampled ones when {@code rows}
   * is not null; lse, lse2 [N, NH] F32.
   */
  void attentionDifference(
      Tensor diff,
      Tensor qkv,
      Tensor lse,
      Tensor qkv2,
      Tensor lse2,
      Tensor cu,
      Heads heads,
      AttentionRows rows);

  /**
   * One new token for each of B sequences: o [B, NH HS]; caches [B,NKV,T,HS] gain row lengths[b]
   * (lengths [B] I32).
   */
  void attentionDecode(
      Tensor o, Tensor kcache, Tensor vcache, Tensor qkv, Tensor lengths, Heads heads);

  /** h [N,F] = silu(gate) up, gu [N,2F]. */
  void swigluForward(Tensor h, Tensor gu);

  /**
   * dgu [N,2F] from dh [N,F]; h is left in dh's place, for the weight gradient of the layer after
   * it.
   */
  void swigluBackward(Tensor dgu, Tensor dh, Tensor gu);

  /** out [R,C] = x[rows], rows [R] I32. */
  void gather(Tensor out, Tensor x, Tensor rows);

  /** dx [N,C] = 0 but for dx[rows] = d [R,C]; rows ascending. */
  void scatter(Tensor dx, Tensor d, Tensor rows);

  /** x [N,C] += d [R,C] at x[rows]; rows ascending. */
  void scatterAdd(Tensor x, Tensor d, Tensor rows);

  /**
   * Loss of R rows of logits [R,V], which it turns into their gradient when {@code grad}: nll [R],
   * distill [R] F64; target [R] I32 (-1: no label); wNll [R] F32; teacher [*,V] F16 or F32, or
   * null; teacherRow [R] I32 (-1: no teacher); wDistill [R] F32.
   */
  void loss(
      Tensor nll,
      Tensor distill,
      Tensor logits,
      Tensor target,
      Tensor wNll,
      Tensor teacher,
      Tensor teacherRow,
      Tensor wDistill,
      Distance distance,
      boolean grad);

  /**
   * One AdamW step over w, m, v, g (same size, all F32), gradient scaled by gradScale first; {@code
   * step} counts from 1. {@code rounded}, of the same size and of E, is given the new w as the
   * model reads it; null where that is w itself.
   */
  void adamw(
      Tensor w,
      Tensor m,
      Tensor v,
      Tensor g,
      Tensor rounded,
      float lr,
      float beta1,
      float beta2,
      float eps,
      float decay,
      float gradScale,
      long step);

  /** Sum of x y over all elements, same size, both F32; NaN and Inf come through. */
  double dot(Tensor x, Tensor y);

  /** Sum of squares of all elements of x F32; NaN and Inf come through. */
  default double sumSquares(Tensor x) {
    return dot(x, x);
  }

  /** y += scale x, element by element; same size, both F32. */
  void addScaled(Tensor y, Tensor x, float scale);

  /** f += scale g^2, element by element; same size, both F32. */
  void addSquares(Tensor f, Tensor g, float scale);

  /**
   * Pulls w towards the anchor a, each weight as strongly as F says: g += lambda F (w - a). All F32
   * and of one size; NaN and Inf come through.
   *
   * @return the penalty, lambda/2 sum F (w - a)^2
   */
  double anchor(Tensor g, Tensor w, Tensor fisher, Tensor anchor, float lambda);

  /** x = 0; of E or F32. */
  void zero(Tensor x);

  /**
   * Where this library's floating tensors lie. Integers and F64 results always lie on the host;
   * teacher logits may.
   */
  default Place place() {
    return Place.HOST;
  }

  /** A tensor of E this library can compute with, from {@code memory}. */
  default Tensor allocate(Memory memory, String tag, long... shape) {
    return allocate(memory, tag, dtype(), shape);
  }

  /** The same, of another floating type that an operation asks for, {@link #wide} most often. */
  default Tensor allocate(Memory memory, String tag, DType dtype, long... shape) {
    return memory.allocate(place(), tag, dtype, shape);
  }

  /** Says how many bytes of {@link #place} will be needed, for one allocation in place of many. */
  default void reserve(long bytes) {}

  @Override
  void close();
}
