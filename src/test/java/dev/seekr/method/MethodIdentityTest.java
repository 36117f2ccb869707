package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.MethodName;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Interleave;
import dev.seekr.data.Sample;
import dev.seekr.disk.RunFolder;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.TinyModel;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Methods that coincide for some setting must coincide to the bit. */
class MethodIdentityTest {
  @TempDir Path folder;
  private int runs;

  @Test
  void replayOfNothingIsSequentialFineTuning() {
    assertThat(train(config(MethodName.replay, 0, 0.5, 0, 0.5, 0.5)))
        .isEqualTo(train(config(MethodName.seqft, 4, 0.5, 0, 0.5, 0.5)));
  }

  @Test
  void derppWithoutLogitsIsReplay() {
    float[] replay = train(config(MethodName.replay, 4, 0.5, 0, 0, 1));
    assertThat(train(config(MethodName.derpp, 4, 0.5, 0, 0, 1))).isEqualTo(replay);
    assertThat(replay).isNotEqualTo(train(config(MethodName.seqft, 4, 0.5, 0, 0, 1)));
  }

  @Test
  void seekrWithoutAttentionIsDerpp() {
    float[] derpp = train(config(MethodName.derpp, 4, 0.5, 0, 0.7, 0.3));
    assertThat(train(config(MethodName.seekr, 4, 0.3, 0, 0, 0))).isEqualTo(derpp);
    assertThat(train(config(MethodName.seekr, 4, 0.3, 1e3, 0, 0))).isNotEqualTo(derpp);
  }

  @Test
  void ewcAndLwfOfNoWeightAreSequentialFineTuning() {
    float[] seqft = train(config(MethodName.seqft, 0, 0.5, 0, 0, 0));
    assertThat(train(config(MethodName.ewc, 0, 0.5, 0, 0, 0))).isEqualTo(seqft);
    assertThat(train(config(MethodName.lwf, 0, 0.5, 0, 0, 0))).isEqualTo(seqft);
  }

  @Test
  void seedsGiveTheSameBitsWhateverTheThreads() {
    var config = config(MethodName.seekr, 4, 0.5, 1e3, 0, 0);
    float[] first = train(config, 1);
    assertThat(train(config, 2)).isEqualTo(first);
    assertThat(train(config, 3)).isEqualTo(first);
  }

  private RunConfig config(
      MethodName name, int samples, double lambda1, double lambda2, double alpha, double beta) {
    return ConfigReader.parse(
        "",
        "test",
        List.of(
            "method.name=" + name,
            "method.replay_ratio=0",
            "method.replay_samples=" + samples,
            "method.lambda1=" + lambda1,
            "method.buffer_dtype=f32",
            "method.derpp.alpha=" + alpha,
            "method.derpp.beta=" + beta,
            "method.seekr={lambda2: %s, layers: 2, heads: 3, queries: 5}".formatted(lambda2),
            "method.ewc.lambda=0",
            "method.lwf.lambda=0"));
  }

  private float[] train(RunConfig config) {
    return train(config, 2);
  }

  /** Two tasks, the first replayed in the second; the weights at the end. */
  private float[] train(RunConfig config, int threads) {
    var shape = TinyModel.config();
    try (Ops ops = TinyModel.cpu(threads, "auto");
        var memory = new Memory("test");
        LlamaModel model = TinyModel.random(shape, ops, memory, 5, Recompute.none);
        Method method =
            Methods.of(new Setup(config, model, new RunFolder(folder.resolve("run" + runs++))));
        var learner = new Learner(model, method, config.train())) {
      for (int stage = 0; stage < 2; stage++) {
        List<Sample> samples = TinyModel.samples(12, 40, shape.V(), 7 + stage);
        var context = new Method.Context(stage, "task" + stage, samples, model.weights);
        method.begin(context);
        learner.train();
        List<Unit> fresh = new ArrayList<>(), rehearsals = new ArrayList<>();
        for (int i = 0; i < samples.size(); i += 3)
          fresh.add(new Unit.Fresh(samples.subList(i, i + 3)));
        List<Replayed> replayed = method.replay();
        for (int i = 0; i < replayed.size(); i += 2)
          rehearsals.add(new Unit.Rehearsal(replayed.subList(i, i + 2)));
        for (var unit : Interleave.<Unit>of(fresh, rehearsals))
          learner.step(0, List.of(unit.item()), 1e-2);
        method.end(context);
        learner.train();
      }
      return model.weights.flat().toFloats();
    }
  }
}
