package dev.seekr.model;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Ledger;
import dev.seekr.tensor.Memory;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Room for activations follows the batch at hand. */
class ActivationsTest {
  private static Batch tokens(int n) {
    int[] tokens = new int[n];
    Arrays.fill(tokens, 3);
    return Batch.of(new Sample(tokens, 1));
  }

  private static long held() {
    Ledger.PROCESS.resetPeak();
    return Ledger.PROCESS.peakByTag().get("gate and up");
  }

  /** Evaluation has long batches, of which a layer at a time is kept; training keeps all layers. */
  @Test
  void aStepAfterAnEvaluationHoldsWhatItHeldBefore() {
    var config = TinyModel.config();
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(config, ops, memory, 1, Recompute.none)) {
      model.forward(tokens(16));
      long step = held();
      model.begin(tokens(160), false).all();
      long evaluation = held();
      model.forward(tokens(16));
      assertThat(held()).isEqualTo(step);
      assertThat(evaluation).isEqualTo(10 * step / config.L());
    }
  }
}
