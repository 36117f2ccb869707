package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.MethodName;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.method.FidelityTable.Check;
import dev.seekr.method.FidelityTable.Subject;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import dev.seekr.verify.ChoiceChecks;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.IntStream;

/** What a method alone must show: what it becomes in a special case, and what makes it itself. */
final class OwnProperties {
  private final FidelityTest tests;

  OwnProperties(FidelityTest tests) {
    this.tests = tests;
  }

  /**
   * Makes the random model one that has seen the form of the tasks, but no answer: questions of
   * both tasks, solved and generated, with labels by chance.
   */
  static void pretrain(TwoTasks run, Ops ops) {
    var random = new SplittableRandom(9);
    try (var learner = new Learner(run.model, new SeqFT(run.method.setup()), run.config.train())) {
      for (int i = 0; i < 400; i++) {
        var batch = new ArrayList<Sample>();
        for (int task = 0; task < 2; task++) {
          for (Sample s : FidelityTest.labelled(task)) {
            int[] tokens = s.tokens().clone();
            for (int t = 1; t < s.answerStart(); t++)
              tokens[t] = random.nextInt(10 + 15 * task, 25 + 15 * task);
            tokens[s.answerStart()] = random.nextInt(3, 7);
            var any = new Sample(tokens, s.answerStart());
            batch.add(any);
            batch.add(PseudoSamples.written(any, 1, 2));
          }
        }
        learner.step(0, List.of(new Unit.Fresh(batch)), 3e-3);
      }
    }
  }

  private float[] weights(MethodName method, String... more) {
    try (Ops ops = TinyModel.cpu();
        var run = tests.run(ops, method, more)) {
      run.learn(0, 3);
      if (method != MethodName.mtl) run.learn(1, 3);
      return run.method instanceof PromptTuning prompts
          ? prompts.trained.rows().rows(0, 3).toFloats()
          : run.weights();
    }
  }

  private static double apart(float[] a, float[] b) {
    assertThat(a).hasSameSizeAs(b);
    double worst = 0;
    for (int i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
    return worst;
  }

  /** What two methods must come to alike, to the bit; a fault that both share passes. */
  void identity(Subject subject, FidelityTable table) {
    var method = subject.method;
    switch (subject) {
      case SEQFT ->
          same(
              table,
              subject,
              "weights of a second run",
              "the first run",
              weights(method),
              weights(method),
              "a result that does not depend on the settings alone");
      case EWC, LWF ->
          same(
              table,
              subject,
              "weights with lambda 0",
              "seqft",
              weights(method, "method." + method + ".lambda=0"),
              weights(MethodName.seqft),
              "a term not multiplied by lambda");
      case AGEM, REPLAY ->
          same(
              table,
              subject,
              "weights with nothing kept",
              "seqft",
              weights(method, "method.replay_samples=0"),
              weights(MethodName.seqft),
              "an extra term on new data");
      case DERPP ->
          same(
              table,
              subject,
              "weights with alpha 0, beta 1",
              "replay",
              weights(method, "method.derpp={alpha: 0, beta: 1}"),
              weights(MethodName.replay),
              "logits not multiplied by alpha; other samples kept");
      case SEEKR ->
          same(
              table,
              subject,
              "weights with lambda2 0",
              "derpp, beta lambda1, alpha 1 - lambda1",
              weights(method, "method.seekr.lambda2=0"),
              weights(MethodName.derpp, "method.derpp={alpha: 0.6, beta: 0.4}"),
              "attention not multiplied by lambda2; other samples kept");
      case OLORA ->
          same(
              table,
              subject,
              "weights with lambda 0",
              "lora",
              weights(method, "method.olora.lambda=0"),
              weights(MethodName.lora),
              "an overlap not multiplied by lambda");
      case MTL -> allInOne(table);
      case LORA, L2P, PP, LFPT5, RELEASED -> {}
    }
  }

  private void allInOne(FidelityTable table) {
    try (Ops ops = TinyModel.cpu();
        var run = tests.run(ops, MethodName.mtl);
        var seqft = tests.run(ops, MethodName.seqft)) {
      run.learn(0, 3);
      var both = run.context(0).samples();
      seqft.begin(0);
      for (int i = 0; i < 3 * both.size(); i += 4) {
        int at = i % both.size();
        seqft.learner.step(0, seqft.units(both.subList(at, at + 4)), 2e-3);
      }
      same(
          table,
          Subject.MTL,
          "weights",
          "seqft on all tasks as one",
          run.weights(),
          seqft.weights(),
          "anything done between tasks");
    }
  }

  private static void same(
      FidelityTable table,
      Subject subject,
      String what,
      String with,
      float[] a,
      float[] b,
      String fails) {
    table.add(subject, Check.IDENTITY, what, with, apart(a, b), 0, fails);
  }

  private void merged(FidelityTable table) {
    try (Ops ops = TinyModel.cpu();
        var run = tests.run(ops, MethodName.lora)) {
      run.begin(0);
      run.steps(0, 3);
      double adapted = run.loss(0);
      run.end(0);
      table.add(
          Subject.LORA,
          Check.PROPERTY,
          "loss with merged adapters, relative error",
          "loss with separate adapters",
          Math.abs(run.loss(0) - adapted) / adapted,
          1e-5,
          "an adapter merged with a wrong scale or into a wrong projection");
    }
  }

  void property(Subject subject, FidelityTable table) {
    try (Ops ops = TinyModel.cpu();
        var run = tests.run(ops, subject)) {
      switch (subject) {
        case SEQFT -> seqft(run, table);
        case MTL ->
            table.add(
                subject,
                Check.PROPERTY,
                "number of stages for five tasks, minus one",
                "none",
                run.method.stages(java.util.Collections.nCopies(5, null)).size() - 1,
                0,
                "sequential training");
        case EWC -> ewc(run, table);
        case LWF -> lwf(run, table);
        case LORA -> {
          frozen(run, table);
          merged(table);
        }
        case OLORA -> olora(table);
        case L2P -> l2p(run, table);
        case PP -> pp(run, table);
        case LFPT5 -> lfpt5(run, ops, table);
        case REPLAY -> replay(ops, table);
        case AGEM -> agem(run, table);
        case DERPP -> derpp(run, table);
        case SEEKR, RELEASED -> seekr(subject, run, table);
      }
    }
  }

  private static void seqft(TwoTasks run, FidelityTable table) {
    var before = run.model.weights.blocks().stream().map(b -> b.tensor().toFloats()).toList();
    run.learn(0, 1);
    int still = 0;
    for (int i = 0; i < before.size(); i++)
      if (Arrays.equals(before.get(i), run.model.weights.blocks().get(i).tensor().toFloats()))
        still++;
    table.add(
        Subject.SEQFT,
        Check.PROPERTY,
        "tensors that a task does not change",
        "none",
        still,
        0,
        "a tensor that is not trained");
  }

  private static void ewc(TwoTasks run, FidelityTable table) {
    run.end(0);
    double[] expected = EwcTest.mean(EwcTest.squares(run.model.weights, run.context(0).samples()));
    double most = Arrays.stream(expected).max().orElseThrow(), worst = 0;
    double[] fisher = ((Ewc) run.method).fisher().flat().toDoubles();
    for (int i = 0; i < fisher.length; i++)
      worst = Math.max(worst, Math.abs(fisher[i] - expected[i]) / (expected[i] + 1e-4 * most));
    table.add(
        Subject.EWC,
        Check.PROPERTY,
        "Fisher information, relative error",
        "mean of squared per-sample gradients, by the reference kernels",
        worst,
        4e-3,
        "the squared gradient of a batch; a sum instead of a mean");
  }

  private static void lwf(TwoTasks run, FidelityTable table) {
    run.learn(0, 2);
    run.begin(1);
    double[] before = teacher(run);
    run.steps(1, 5);
    double[] after = teacher(run);
    double worst = 0;
    for (int i = 0; i < after.length; i++) worst = Math.max(worst, Math.abs(after[i] - before[i]));
    table.add(
        Subject.LWF,
        Check.PROPERTY,
        "change of the teacher's logits after 15 steps",
        "none",
        worst,
        0,
        "a teacher that is trained too");
  }

  private static double[] teacher(TwoTasks run) {
    try (var memory = new Memory("test")) {
      var batch = new Batch(run.context(1).samples());
      int[] rows = OutputLoss.labels(batch, 1).rows();
      return ((Lwf) run.method).previous().logits(batch, rows, 1, memory).toDoubles();
    }
  }

  private static void frozen(TwoTasks run, FidelityTable table) {
    float[] before = run.weights();
    run.begin(0);
    run.steps(0, 5);
    table.add(
        Subject.LORA,
        Check.PROPERTY,
        "change of the weights while an adapter is trained",
        "none",
        apart(run.weights(), before),
        0,
        "weights trained along with the adapter");
  }

  private void olora(FidelityTable table) {
    double[] overlap = new double[2];
    String[] lambdas = {"1e-9", "100"};
    for (int i = 0; i < 2; i++) {
      try (Ops ops = TinyModel.cpu();
          var run =
              tests.run(
                  ops,
                  MethodName.olora,
                  "method.olora={form: square, lambda: %s}".formatted(lambdas[i]))) {
        run.learn(0, 5);
        run.begin(1);
        overlap[i] = run.steps(1, 10).means().get("orthogonality");
      }
    }
    table.add(
        Subject.OLORA,
        Check.PROPERTY,
        "sum of squares of A_1 A_2^T, lambda 100",
        "lambda 1e-9",
        overlap[1] / overlap[0],
        0.02,
        "an overlap that is logged but not minimised");
  }

  private static void l2p(TwoTasks run, FidelityTable table) {
    run.learn(0, 5);
    long[] first = ((L2p) run.method).chosen();
    run.learn(1, 5);
    long[] second = ((L2p) run.method).chosen();
    for (int m = 0; m < first.length; m++) second[m] -= first[m];
    double a = Arrays.stream(first).sum(), b = Arrays.stream(second).sum(), common = 0;
    for (int m = 0; m < first.length; m++) common += Math.min(first[m] / a, second[m] / b);
    table.add(
        Subject.L2P,
        Check.PROPERTY,
        "share of prompts chosen by both tasks",
        "1 (all)",
        common,
        0.5,
        "prompts that do not depend on the input");
  }

  private static void pp(TwoTasks run, FidelityTable table) {
    run.learn(0, 5);
    float[] first = run.method.prompts().table().rows(0, 3).toFloats();
    run.learn(1, 5);
    Tensor now = run.method.prompts().table();
    assertThat(now.dim(0)).isEqualTo(6);
    table.add(
        Subject.PP,
        Check.PROPERTY,
        "change of the first prompt during the second task",
        "none",
        apart(now.rows(0, 3).toFloats(), first),
        0,
        "earlier prompts that are trained too");
  }

  /** One draw's samples have too few tokens to tell learning from chance. */
  private static void lfpt5(TwoTasks run, Ops ops, FidelityTable table) {
    pretrain(run, ops);
    run.begin(0);
    run.steps(0, 120);
    var made = new ArrayList<Sample>();
    for (int draw = 0; draw < 20; draw++) // draws depend on the stage's number
    made.addAll(
          ((Lfpt5) run.method)
              .pseudoSamples(new Method.Context(draw, "task0", run.context(0).samples(), null)));
    assertThat(made).isNotEmpty();
    int wrong = 0, tokens = 0;
    for (Sample s : made) {
      assertThat(s.tokens()[0]).isEqualTo(1);
      assertThat(s.targets()).isEqualTo(2);
      assertThat(s.tokens()[s.answerStart()]).isBetween(3, 4);
      for (int t = 1; t < s.answerStart(); t++, tokens++)
        if (s.tokens()[t] < 10 || s.tokens()[t] >= 25) wrong++;
    }
    table.add(
        Subject.LFPT5,
        Check.PROPERTY,
        "share of question tokens in pseudo samples that do not occur in the task (all answer tokens do)",
        "0.75 expected by chance",
        (double) wrong / tokens,
        0.25,
        "a prompt row that does not learn to generate samples");
  }

  private static void replay(Ops ops, FidelityTable table) {
    var checks = ChoiceChecks.verify(ops).all();
    table.add(
        Subject.REPLAY,
        Check.PROPERTY,
        "how often samples, rows and heads are drawn; what methods keep; the order of replay: largest error in units of its bound",
        "uniform chance, within 4.5 standard deviations over 80 seeds; the formula",
        checks.stream()
            .mapToDouble(c -> c.error() / (c.bound() == 0 ? 0.5 : c.bound()))
            .max()
            .orElseThrow(),
        1,
        "the first N samples; the same ones of each task; replay first, last or clustered");
  }

  private static dev.seekr.data.ReplayBuffer.Entry kept(TwoTasks run, int i) {
    return run.method.replay().get(i).read(run.memory);
  }

  /** The gradient of the first micro-batch that goes against the stored samples. */
  private static void agem(TwoTasks run, FidelityTable table) {
    run.learn(0, 2);
    run.begin(1);
    var seqft = new SeqFT(run.method.setup());
    var kept = ((AGem) run.method).stored().stream().map(Replayed::sample).toList();
    double[] r = gradient(run, seqft, new Batch(kept));
    for (int i = 0; i < 12; i++) {
      var fresh = run.context(1).samples().subList(i, i + 1);
      double[] g = gradient(run, seqft, new Batch(fresh));
      double along = dot(g, r), squares = dot(r, r);
      if (along >= 0) continue;
      run.learner.gradients(0, List.of(new Unit.Fresh(fresh)), new Losses());
      double[] turned = run.learner.grads().flat().toDoubles();
      double worst = 0;
      for (int k = 0; k < g.length; k++)
        worst = Math.max(worst, Math.abs(turned[k] - (g[k] - along / squares * r[k])));
      double most = Arrays.stream(g).map(Math::abs).max().orElseThrow();
      table.add(
          Subject.AGEM,
          Check.PROPERTY,
          "gradient that conflicts with the stored samples' gradient",
          "its projection, without the part along theirs",
          worst / most,
          1e-5,
          "a wrong or missing projection");
      return;
    }
    throw new AssertionError("no gradient goes against the stored samples'");
  }

  private static double[] gradient(TwoTasks run, Method by, Batch batch) {
    var g = new Weights(TwoTasks.SHAPE, run.model.ops(), run.memory, "gradients");
    run.pass(by, batch, g);
    return g.flat().toDoubles();
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) sum += a[i] * b[i];
    return sum;
  }

  private static void derpp(TwoTasks run, FidelityTable table) {
    run.learn(0, 2);
    double worst = 0;
    for (int i = 0; i < 6; i++) {
      var sample = kept(run, i).sample();
      var pass = run.method.model().forward(Batch.of(sample));
      Tensor out = run.memory.allocate("logits", DType.F32, sample.targets(), TwoTasks.SHAPE.V());
      pass.logits(out, IntStream.range(sample.answerStart() - 1, sample.length() - 1).toArray());
      worst = Math.max(worst, apart(out.toFloats(), kept(run, i).logits().toFloats()));
    }
    // Packed with others or alone, a sample's rows go through other blocks of the matrix product.
    table.add(
        Subject.DERPP,
        Check.PROPERTY,
        "stored logits",
        "logits of the model at the end of the task",
        worst,
        1e-5,
        "logits of other rows or another time");
  }

  private static void seekr(Subject subject, TwoTasks run, FidelityTable table) {
    run.learn(0, 2);
    double[][] importance = ((Seekr) run.method).importance();
    int[][] heads = run.method.replay().getFirst().buffer().heads();
    List<Integer> layers =
        IntStream.range(0, importance.length)
            .boxed()
            .sorted(Comparator.comparingDouble(l -> -Arrays.stream(importance[l]).sum()))
            .limit(2)
            .toList();
    List<double[]> best =
        layers.stream()
            .flatMap(
                l -> IntStream.range(0, 4).mapToObj(h -> new double[] {l, h, importance[l][h]}))
            .sorted(Comparator.comparingDouble(x -> -x[2]))
            .limit(4)
            .toList();
    int missed = 4 - Arrays.stream(heads).mapToInt(h -> h.length).sum();
    for (double[] x : best)
      if (Arrays.stream(heads[(int) x[0]]).noneMatch(h -> h == (int) x[1])) missed++;
    table.add(
        subject,
        Check.PROPERTY,
        "distilled heads that are not as expected",
        "the most important heads in the most important layers",
        Math.abs(missed),
        0,
        "heads of all layers, or the least important ones");
  }
}
