package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.within;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.SeekrSettings.Variant;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.model.AttentionTap;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Lora;
import dev.seekr.model.ModelFolder;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.Parameters;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Methods that train adapters beside frozen weights. */
class LowRankTest {
  /**
   * float32 has 24 bits, 6e-8 of a number: what gradients and losses of about one are apart by
   * where passes are cut otherwise, or where float32 is compared with double.
   */
  private static final double ROUNDING = 1e-5;

  /** Of a change between two models: it is the difference of outputs a hundred times as large. */
  private static final double ROUNDING_OF_CHANGES = 100 * ROUNDING;

  private static final String[] LORA = {
    "train.parameters=lora",
    "method.lora.rank=2",
    "method.lora.targets=[q_proj, v_proj, down_proj]",
    "method.replay_samples=3",
    "method.seekr.queries=9",
    "method.lora.lr=1e-2"
  };

  @TempDir Path folder;
  private int runs;

  private TwoTasks run(Ops ops, String... settings) {
    return run(ops, 1e-2, settings);
  }

  private TwoTasks run(Ops ops, double lr, String... settings) {
    var all = new ArrayList<>(List.of(LORA));
    all.addAll(List.of(settings));
    return new TwoTasks(folder.resolve("run" + runs++), ops, lr, all.toArray(String[]::new));
  }

  /** The model with its adapters merged into weights of their own. */
  private static LlamaModel merged(TwoTasks run, Ops ops, Memory memory) {
    var weights = new Weights(TwoTasks.SHAPE, ops, memory, "weights");
    weights.copyFrom(run.model.weights);
    if (run.method.trained() instanceof Lora lora) lora.merge(weights);
    return new LlamaModel(TwoTasks.SHAPE, weights, ops, Recompute.none);
  }

  private static float[] logits(LlamaModel model, List<Sample> samples) {
    try (var memory = new Memory("test")) {
      Batch batch = new Batch(samples);
      int[] rows = OutputLoss.labels(batch, 1).rows();
      var out = memory.allocate("logits", DType.F32, rows.length, TwoTasks.SHAPE.V());
      model.begin(batch, false).all().logits(out, rows);
      return out.toFloats();
    }
  }

  private static void assertClose(float[] actual, float[] expected, double most) {
    double largest = 0;
    for (float e : expected) largest = Math.max(largest, Math.abs(e));
    for (int i = 0; i < expected.length; i++)
      assertThat((double) actual[i]).isCloseTo(expected[i], within(most * largest));
  }

  @ParameterizedTest
  @ValueSource(strings = {"seqft", "mtl", "replay", "agem", "derpp", "lwf", "seekr"})
  void weightsAreFrozenAndTheSumIsWhatTheTaskLeft(String method) {
    for (String per : List.of("task", "run")) {
      try (Ops ops = TinyModel.cpu();
          var memory = new Memory("test");
          var run = run(ops, "method.name=" + method, "method.lora.per=" + per)) {
        float[] first = run.weights();
        for (int stage = 0; stage < 2; stage++) {
          float[] before = run.weights();
          run.begin(stage);
          double begun = run.loss(stage);
          run.steps(stage, 4);
          assertThat(run.loss(stage)).isLessThan(begun);
          assertThat(run.weights()).as("frozen weights").isEqualTo(before);
          try (var sum = merged(run, ops, memory)) {
            float[] adapted = logits(run.method.model(), TwoTasks.samples(0));
            run.end(stage);
            assertClose(logits(sum, TwoTasks.samples(0)), adapted, 1e-5);
            assertClose(logits(run.method.model(), TwoTasks.samples(0)), adapted, 1e-5);
          }
        }
        if (per.equals("run")) assertThat(run.weights()).isEqualTo(first);
        else assertThat(run.weights()).isNotEqualTo(first);
      }
    }
  }

  @Test
  void fineTuningByAdaptersIsLora() {
    var weights = new ArrayList<float[]>();
    for (String settings : List.of("method.name=seqft", "method.name=lora")) {
      try (Ops ops = TinyModel.cpu();
          var run = run(ops, settings)) {
        run.learn(0, 2);
        run.learn(1, 2);
        weights.add(run.weights());
      }
    }
    assertThat(weights.get(0)).isEqualTo(weights.get(1));
  }

  @ParameterizedTest
  @CsvSource({"task", "run"})
  void headsAreScoredBetweenTheModelsBeforeAndAfter(String per) {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        var run = run(ops, "method.name=seekr", "method.lora.per=" + per)) {
      int NH = TwoTasks.SHAPE.heads().NH();
      var sum = Importance.none(TwoTasks.SHAPE.L(), NH);
      for (int stage = 0; stage < 2; stage++) {
        run.begin(stage);
        try (var before = merged(run, ops, memory)) {
          run.steps(stage, 2);
          try (var after = merged(run, ops, memory)) {
            run.end(stage);
            List<Sample> kept =
                run.method.replay().subList(3 * stage, 3 * stage + 3).stream()
                    .map(Replayed::sample)
                    .toList();
            var scores = HeadImportance.scores(Variant.paper, after, before, kept, null, 1 << 20);
            sum = sum.plus(scores, true, run.config.method().seekr().choice());
          }
        }
        double[][] actual = ((Seekr) run.method).importance();
        for (int l = 0; l < actual.length; l++)
          for (int h = 0; h < NH; h++)
            assertThat(actual[l][h])
                .isPositive()
                .isCloseTo(sum.i()[l][h], within(ROUNDING_OF_CHANGES * sum.i()[l][h]));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"task,disk", "task,none", "run,disk", "run,none"})
  void lwfAsksTheModelBeforeTheTask(String per, String cache) {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        var run =
            run(
                ops,
                "method.name=lwf",
                "method.lora.per=" + per,
                "method.buffer_dtype=f32",
                "method.lwf.cache=" + cache)) {
      run.learn(0, 2);
      Batch batch = new Batch(run.context(1).samples());
      try (var sum = merged(run, ops, memory)) {
        float[] expected = logits(sum, batch.samples());
        run.begin(1);
        run.steps(1, 2);
        int[] rows = OutputLoss.labels(batch, 1).rows();
        var before = ((Lwf) run.method).previous().logits(batch, rows, 1, memory);
        assertClose(before.toFloats(), expected, 1e-5);
        assertThat(logits(run.method.model(), batch.samples())).isNotEqualTo(expected);
      }
    }
  }

  @Test
  void ewcHoldsTheAdapterOfTheRun() {
    try (Ops ops = TinyModel.cpu();
        var memory = new Memory("test");
        var run = run(ops, "method.name=ewc", "method.lora.per=run", "method.ewc.lambda=1e3")) {
      run.begin(0);
      run.steps(0, 2);
      List<Sample> samples = TwoTasks.samples(0);
      Lora lora = (Lora) run.method.trained();
      Parameters g = lora.like(ops, memory, "gradients");
      double[] mean = new double[Math.toIntExact(g.flat().size())];
      for (Sample sample : samples) {
        Batch alone = Batch.of(sample);
        run.method
            .model()
            .forward(alone)
            .backward(
                OutputLoss.labels(alone, 1.0 / sample.targets()), AttentionTap.NONE, g, false);
        double[] one = g.flat().toDoubles();
        for (int i = 0; i < mean.length; i++) mean[i] += one[i] * one[i] / samples.size();
      }
      double[] anchor = lora.flat().toDoubles();
      run.end(0);
      var ewc = (Ewc) run.method;
      double most = Arrays.stream(mean).max().orElseThrow();
      assertThat(most).isPositive();
      for (int i = 0; i < mean.length; i++)
        assertThat(ewc.fisher().flat().get(i)).isCloseTo(mean[i], within(ROUNDING * most));
      assertThat(ewc.anchor().flat().toDoubles()).isEqualTo(anchor);
      run.begin(1);
      assertThat(run.steps(1, 1).means().get("ewc")).isPositive();
    }
  }

  /** A sum rounded after each task would lose what a task adds. */
  @ParameterizedTest
  @CsvSource({"task", "run"})
  void narrowWeightsLoseNoSmallChange(String per) {
    float[][] logits = new float[2][];
    DType[] types = {DType.BF16, DType.F32};
    for (int i = 0; i < 2; i++) {
      try (Ops ops = new ReferenceOps(types[i]);
          Ops full = new ReferenceOps(DType.F32);
          var memory = new Memory("test");
          var run = run(ops, 2e-4, "method.name=seqft", "method.lora.per=" + per)) {
        double[] base = run.model.weights.flat().toDoubles();
        for (int stage = 0; stage < 2; stage++) run.learn(stage, 1);
        Path saved = folder.resolve("saved-" + per + i);
        ModelFolder.save(saved, folder, run.method.model(), DType.F32, null);
        var weights = new Weights(TwoTasks.SHAPE, full, memory, "weights");
        ModelFolder.load(saved, weights, full);
        double[] sum = weights.flat().toDoubles();
        double moved = 0;
        for (int j = 0; j < sum.length; j++) moved += Math.abs(sum[j] - base[j]);
        assertThat(moved).as("what is saved").isPositive();
        logits[i] = new float[] {(float) moved};
        if (types[i] == DType.BF16)
          assertThat(run.model.weights.flat().toDoubles()).as("narrow weights").isEqualTo(base);
      }
    }
    assertThat((double) logits[0][0]).isCloseTo(logits[1][0], within(0.1 * logits[1][0]));
  }

  /** Adapters begin as no change, of which nothing that is dropped would be seen. */
  private static void disturb(TwoTasks run) {
    var flat = run.method.trained().flat();
    var random = new SplittableRandom(8);
    float[] values = flat.toFloats();
    for (int i = 0; i < values.length; i++) values[i] += (float) (0.3 * random.nextGaussian());
    flat.copyFrom(values);
  }

  /** Losses and gradients of a step, however it is cut; another step drops other things. */
  @ParameterizedTest
  @ValueSource(strings = {"seqft", "derpp", "lwf", "seekr"})
  void aStepDropsTheSameHoweverItIsCut(String method) {
    var losses = new ArrayList<Double>();
    var gradients = new ArrayList<double[]>();
    for (String cut : List.of("train.micro_tokens=1000", "train.micro_tokens=1")) {
      try (Ops ops = new ReferenceOps(DType.F64);
          var run = run(ops, "method.name=" + method, "method.lora.dropout=0.3", cut)) {
        run.learn(0, 1);
        run.begin(1);
        disturb(run);
        for (int number = 0; number < 2; number++) {
          var found = new Losses();
          run.learner.gradients(number, run.units(run.context(1).samples()), found);
          losses.add(found.total());
          gradients.add(run.learner.grads().flat().toDoubles());
        }
      }
    }
    for (int number = 0; number < 2; number++) {
      assertThat(losses.get(2 + number)).isCloseTo(losses.get(number), within(ROUNDING));
      double[] expected = gradients.get(number), actual = gradients.get(2 + number);
      for (int i = 0; i < expected.length; i++)
        assertThat(actual[i]).isCloseTo(expected[i], within(ROUNDING));
    }
    assertThat(losses.get(1)).isNotCloseTo(losses.get(0), within(1e-2));
  }

  /** What scores, stores, estimates, refers or answers sees the model whole. */
  @ParameterizedTest
  @CsvSource({"seqft,task", "agem,task", "ewc,run", "seekr,run", "derpp,task"})
  void nothingIsDroppedBetweenSteps(String method, String per) {
    var seen = new ArrayList<Object[]>();
    for (String dropout : List.of("0", "0.5")) {
      try (Ops ops = TinyModel.cpu();
          var run =
              run(
                  ops,
                  "method.name=" + method,
                  "method.lora.per=" + per,
                  "method.lora.dropout=" + dropout)) {
        run.begin(0); // and no step: both runs stand where they began
        disturb(run);
        var all = new ArrayList<Object>();
        all.add(logits(run.method.model(), TwoTasks.samples(0)));
        run.end(0);
        for (Replayed kept : run.method.replay()) {
          Tensor stored = kept.read(run.memory).logits();
          if (stored != null) all.add(stored.toFloats());
        }
        if (run.method instanceof Ewc ewc) all.add(ewc.fisher().flat().toFloats());
        if (run.method instanceof Seekr seekr) all.add(seekr.importance());
        if (run.method instanceof AGem agem) {
          run.begin(1);
          disturb(run);
          var losses = new Losses();
          var g = agem.trained().like(ops, run.memory, "gradients");
          agem.addTo(new Gradients(agem.trained(), g, Step.of(List.of()), losses));
          all.add(losses.means().get("reference"));
        }
        seen.add(all.toArray());
      }
    }
    assertThat(seen.get(0)).hasSizeGreaterThan(method.equals("seqft") ? 0 : 1);
    assertThat(seen.get(1)).usingRecursiveComparison().isEqualTo(seen.get(0));
  }

  @Test
  void stagesDropOtherThings() {
    var losses = new ArrayList<Double>();
    for (int stages = 1; stages <= 2; stages++) {
      try (Ops ops = TinyModel.cpu();
          var run =
              run(ops, "method.name=seqft", "method.lora.per=run", "method.lora.dropout=0.5")) {
        run.begin(0);
        run.steps(0, 2);
        if (stages == 2) run.end(0);
        if (stages == 2) run.begin(1);
        var found = new Losses();
        run.learner.gradients(0, run.units(TwoTasks.samples(0)), found);
        losses.add(found.total());
      }
    }
    assertThat(losses.get(1)).isNotCloseTo(losses.get(0), within(1e-4));
  }

  /** A bfloat16 step drops what a float32 step does: their gradients are nearer than two steps'. */
  @Test
  void narrowTypesDropTheSame() {
    var gradients = new ArrayList<float[]>();
    for (var type : List.of(DType.BF16, DType.F32)) {
      try (Ops ops = new ReferenceOps(type);
          var run = run(ops, "method.name=seqft", "method.lora.dropout=0.5")) {
        run.begin(0);
        disturb(run);
        for (int number = 0; number < 2; number++) {
          run.learner.gradients(number, run.units(TwoTasks.samples(0)), new Losses());
          gradients.add(run.learner.grads().flat().toFloats());
        }
      }
    }
    double apart = TwoTasks.distance(gradients.get(2), gradients.get(3));
    for (int number = 0; number < 2; number++)
      assertThat(TwoTasks.distance(gradients.get(number), gradients.get(2 + number)))
          .isLessThan(apart / 3);
  }

  @Test
  void whatAdaptersCannotBeIsRefused() {
    var needed = List.of("model.path=m", "data.root=d", "data.tasks=[a]", "run.out=o");
    record Refused(List<String> settings, String word) {}
    for (var refused :
        List.of(
            new Refused(List.of("method.name=ewc", "train.parameters=lora"), "method.lora.per=run"),
            new Refused(
                List.of("method.name=olora", "method.lora.per=run"), "method.lora.per=task"),
            new Refused(List.of("method.name=pp", "train.parameters=lora"), "soft prompts"))) {
      var settings = new ArrayList<>(needed);
      settings.addAll(refused.settings);
      assertThatThrownBy(() -> ConfigReader.parse("", "test", settings).requireTrainable())
          .hasMessageContaining(refused.word);
    }
  }
}
