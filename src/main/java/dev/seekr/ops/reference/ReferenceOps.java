package dev.seekr.ops.reference;

import dev.seekr.ops.*;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Place;
import dev.seekr.tensor.Tensor;

/**
 * What the kernels must compute: the formulas of {@code seekr.h}, written down in double, one loop
 * after the other. Results are rounded once, when they are stored. It is what kernels are tested
 * against, and slow.
 */
public final class ReferenceOps implements Ops {
  private final DType dtype;
  private final Shapes shapes;

  /** {@code dtype}: E, any floating type. In F64 nothing is rounded. */
  public ReferenceOps(DType dtype) {
    if (dtype == DType.I32 || dtype == DType.I64)
      throw new IllegalArgumentException("reference in " + dtype);
    this.dtype = dtype;
    this.shapes = new Shapes(dtype, wide(), Place.HOST);
  }

  @Override
  public DType dtype() {
    return dtype;
  }

  @Override
  public Ops host() {
    return dtype == wide() ? this : new ReferenceOps(wide());
  }

  @Override
  public String description() {
    return "reference: double arithmetic, %s storage, 1 thread".formatted(dtype);
  }

  @Override
  public void run(Op op, Arguments arguments) {
    arguments.check(shapes);
    switch (op) {
      case MATMUL -> multiply((Product) arguments);
      case EMBEDDING_BWD -> ReferenceElementwise.embeddingBackward((EmbeddingGradient) arguments);
      case RMSNORM_FWD -> ReferenceElementwise.rmsnorm((Norm) arguments);
      case RMSNORM_BWD -> ReferenceElementwise.rmsnormBackward((NormGradient) arguments);
      case ROPE_FWD -> ReferenceElementwise.rotate((Rotation) arguments, 1);
      case ROPE_BWD -> ReferenceElementwise.rotate((Rotation) arguments, -1);
      case SWIGLU_FWD -> ReferenceElementwise.swiglu((SwiGlu) arguments);
      case SWIGLU_BWD -> ReferenceElementwise.swigluBackward((SwiGluGradient) arguments);
      case GATHER, SCATTER, SCATTER_ADD -> ReferenceElementwise.rows((Rows) arguments);
      case DROPOUT -> ReferenceElementwise.dropout((DroppedRows) arguments);
      case ATTENTION_FWD -> ReferenceAttention.forward((Attention) arguments);
      case ATTENTION_BWD -> ReferenceAttention.backward((AttentionGradient) arguments);
      case ATTENTION_CAPTURE -> ReferenceAttention.capture((AttentionRows) arguments);
      case ATTENTION_DIFF -> ReferenceAttention.difference((AttentionChange) arguments);
      case ATTENTION_DECODE -> ReferenceAttention.decode((Decode) arguments);
      case LOSS -> ReferenceLoss.loss((LossRows) arguments);
      case ADAMW -> ReferenceVectors.adamw((AdamWStep) arguments);
      case DOT -> ReferenceVectors.dot((Pair) arguments);
      case ADD_SCALED, ADD_SQUARES -> ReferenceVectors.add((Scaled) arguments);
      case ANCHOR -> ReferenceVectors.anchor((Pull) arguments);
      case ZERO -> ((Vector) arguments).x().zero();
    }
  }

  /** Rounds and stores all of {@code values}. */
  static void store(Tensor t, double[] values) {
    for (int i = 0; i < values.length; i++) t.set(i, values[i]);
  }

  private void multiply(Product p) {
    int M = (int) p.M(), N = (int) p.N(), K = (int) p.K();
    double[] left = p.a().toDoubles(), right = p.b().toDoubles();
    for (int i = 0; i < M; i++) {
      for (int j = 0; j < N; j++) {
        double sum = 0;
        for (int k = 0; k < K; k++) {
          sum += left[p.ta() ? k * M + i : i * K + k] * right[p.tb() ? j * K + k : k * N + j];
        }
        long at = (long) i * N + j;
        p.y().set(at, p.alpha() * sum + (p.accumulate() ? p.y().get(at) : 0));
      }
    }
  }

  @Override
  public void close() {}
}
