package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.MethodName;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Every method beside weights and activations in bfloat16, by the reference and by this CPU's
 * kernels, held against the same run in float32.
 */
class NarrowTypesTest {
  @TempDir Path folder;

  private double[] losses(MethodName name, Ops ops) {
    try (var run =
        new TwoTasks(
            folder.resolve(ops.dtype() + ops.getClass().getSimpleName()),
            ops,
            1e-3,
            "method.name=" + name,
            "method.replay_samples=2",
            "method.prompt.length=3",
            "method.l2p.pool=3",
            "method.l2p.picks=2",
            "method.pp.hidden=4",
            "method.lora.rank=2",
            "eval.max_new_tokens=4")) {
      run.learn(0, 1);
      double first = run.loss(0);
      run.learn(1, 1);
      return new double[] {first, run.loss(0), run.loss(1)};
    }
  }

  @ParameterizedTest
  @EnumSource
  void losesLittleToRounding(MethodName name) {
    double[] full = losses(name, new ReferenceOps(DType.F32));
    for (Ops ops : List.of(new ReferenceOps(DType.BF16), TinyModel.cpu(DType.BF16))) {
      double[] narrow = losses(name, ops);
      for (int i = 0; i < full.length; i++)
        assertThat(narrow[i])
            .as("%s, loss %d", ops.description(), i)
            .isNotEqualTo(full[i])
            .isBetween(0.97 * full[i], 1.03 * full[i]);
    }
  }
}
