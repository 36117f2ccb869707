package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.MethodName;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.method.FidelityTable.Check;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
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

  void identity(MethodName method, FidelityTable table) {
    String[] promptAlone = {"method.l2p={pool: 1, picks: 1, lambda: 0}", "train.clip=0"};
    String[] noneMade = {"method.lfpt5.lambda_lm=0", "method.replay_samples=0", "train.clip=0"};
    switch (method) {
      case seqft ->
          same(
              table,
              method,
              "weights, run a second time",
              "the first run",
              weights(method),
              weights(method));
      case ewc ->
          same(
              table,
              method,
              "weights with lambda 0",
              "seqft",
              weights(method, "method.ewc.lambda=0"),
              weights(MethodName.seqft));
      case agem ->
          same(
              table,
              method,
              "weights with nothing kept",
              "seqft",
              weights(method, "method.replay_samples=0"),
              weights(MethodName.seqft));
      case lwf ->
          same(
              table,
              method,
              "weights with lambda 0",
              "seqft",
              weights(method, "method.lwf.lambda=0"),
              weights(MethodName.seqft));
      case replay ->
          same(
              table,
              method,
              "weights with nothing to replay",
              "seqft",
              weights(method, "method.replay_samples=0"),
              weights(MethodName.seqft));
      case derpp ->
          same(
              table,
              method,
              "weights with alpha 0, beta 1",
              "replay",
              weights(method, "method.derpp={alpha: 0, beta: 1}"),
              weights(MethodName.replay));
      case seekr ->
          same(
              table,
              method,
              "weights with lambda2 0",
              "derpp, beta lambda1, alpha 1 - lambda1",
              weights(method, "method.seekr.lambda2=0"),
              weights(MethodName.derpp, "method.derpp={alpha: 0.6, beta: 0.4}"));
      case olora ->
          same(
              table,
              method,
              "weights with lambda 0",
              "lora",
              weights(method, "method.olora.lambda=0"),
              weights(MethodName.lora));
      case lora -> merged(table);
      case mtl -> {
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
              method,
              "weights",
              "seqft, all tasks being one",
              run.weights(),
              seqft.weights());
        }
      }
      case l2p ->
          same(
              table,
              method,
              "prompt of a pool of one, lambda 0",
              "lfpt5 that generates and replays nothing",
              weights(method, promptAlone),
              weights(MethodName.lfpt5, noneMade));
      case lfpt5 ->
          same(
              table,
              method,
              "prompt with lambda_lm 0 and nothing replayed",
              "l2p of a pool of one, lambda 0",
              weights(method, noneMade),
              weights(MethodName.l2p, promptAlone));
      case pp -> {
        String[] direct = {"method.pp={hidden: 0, by_task: true}", "train.clip=0"};
        same(
            table,
            method,
            "first prompt without the residual network",
            "lfpt5 that generates nothing",
            firstPrompt(method, direct),
            firstPrompt(MethodName.lfpt5, noneMade));
      }
    }
  }

  private static void same(
      FidelityTable table, MethodName method, String what, String with, float[] a, float[] b) {
    table.add(method, Check.IDENTITY, what, with, apart(a, b), 0);
  }

  private float[] firstPrompt(MethodName method, String... more) {
    try (Ops ops = TinyModel.cpu();
        var run = tests.run(ops, method, more)) {
      run.begin(0);
      run.steps(0, 3);
      return ((PromptTuning) run.method).trained.rows().rows(0, 3).toFloats();
    }
  }

  private void merged(FidelityTable table) {
    try (Ops ops = TinyModel.cpu();
        var run = tests.run(ops, MethodName.lora)) {
      run.begin(0);
      run.steps(0, 3);
      double adapted = run.loss(0);
      run.end(0);
      table.add(
          MethodName.lora,
          Check.IDENTITY,
          "loss with adapters merged, relative",
          "loss with adapters beside the weights",
          Math.abs(run.loss(0) - adapted) / adapted,
          1e-5);
    }
  }

  void property(MethodName method, FidelityTable table) {
    try (Ops ops = TinyModel.cpu();
        var run = tests.run(ops, method)) {
      switch (method) {
        case seqft -> seqft(run, table);
        case mtl ->
            table.add(
                method,
                Check.PROPERTY,
                "stages of five tasks, beyond one",
                "none",
                run.method.stages(java.util.Collections.nCopies(5, null)).size() - 1,
                0);
        case ewc -> ewc(run, table);
        case lwf -> lwf(run, table);
        case lora -> frozen(run, table);
        case olora -> olora(table);
        case l2p -> l2p(run, table);
        case pp -> pp(run, table);
        case lfpt5 -> lfpt5(run, ops, table);
        case replay -> replay(run, table);
        case agem -> agem(run, table);
        case derpp -> derpp(run, table);
        case seekr -> seekr(run, table);
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
        MethodName.seqft,
        Check.PROPERTY,
        "tensors that a task leaves as they were",
        "none",
        still,
        0);
  }

  private static void ewc(TwoTasks run, FidelityTable table) {
    run.end(0);
    double[] expected = EwcTest.mean(EwcTest.squares(run.model.weights, run.context(0).samples()));
    double most = Arrays.stream(expected).max().orElseThrow(), worst = 0;
    double[] fisher = ((Ewc) run.method).fisher().flat().toDoubles();
    for (int i = 0; i < fisher.length; i++)
      worst = Math.max(worst, Math.abs(fisher[i] - expected[i]) / (expected[i] + 1e-4 * most));
    table.add(
        MethodName.ewc,
        Check.PROPERTY,
        "Fisher information, relative",
        "mean of squared gradients of single samples, by the reference kernels",
        worst,
        4e-3);
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
        MethodName.lwf,
        Check.PROPERTY,
        "teacher's logits after 15 steps",
        "those before",
        worst,
        0);
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
        MethodName.lora,
        Check.PROPERTY,
        "weights while an adapter is trained",
        "those before",
        apart(run.weights(), before),
        0);
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
        MethodName.olora,
        Check.PROPERTY,
        "sum of squares of A_1 A_2^T, lambda 100",
        "lambda 1e-9",
        overlap[1] / overlap[0],
        0.02);
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
        MethodName.l2p,
        Check.PROPERTY,
        "share of picks that both tasks have in common",
        "all",
        common,
        0.5);
  }

  private static void pp(TwoTasks run, FidelityTable table) {
    run.learn(0, 5);
    float[] first = run.method.prompts().table().rows(0, 3).toFloats();
    run.learn(1, 5);
    Tensor now = run.method.prompts().table();
    assertThat(now.dim(0)).isEqualTo(6);
    table.add(
        MethodName.pp,
        Check.PROPERTY,
        "first prompt after the second task",
        "the same before it",
        apart(now.rows(0, 3).toFloats(), first),
        0);
  }

  private static void lfpt5(TwoTasks run, Ops ops, FidelityTable table) {
    pretrain(run, ops);
    run.begin(0);
    run.steps(0, 30);
    var made = ((Lfpt5) run.method).pseudoSamples(run.context(0));
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
        MethodName.lfpt5,
        Check.PROPERTY,
        "share of question tokens in pseudo samples that are none of the task's (answers all are)",
        "0.75, by chance",
        (double) wrong / tokens,
        0.25);
  }

  private void replay(TwoTasks run, FidelityTable table) {
    run.learn(0, 1);
    int apart = 0;
    for (var other : List.of(MethodName.derpp, MethodName.seekr)) {
      try (Ops ops = TinyModel.cpu();
          var as = tests.run(ops, other)) {
        as.learn(0, 1);
        for (int i = 0; i < 6; i++)
          if (!Arrays.equals(kept(run, i).sample().tokens(), kept(as, i).sample().tokens()))
            apart++;
      }
    }
    table.add(
        MethodName.replay,
        Check.PROPERTY,
        "kept samples that differ",
        "those of derpp and seekr",
        apart,
        0);
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
          MethodName.agem,
          Check.PROPERTY,
          "gradient that went against the stored samples'",
          "itself without its part along theirs",
          worst / most,
          1e-5);
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
        MethodName.derpp,
        Check.PROPERTY,
        "stored logits",
        "those of the model when the task was done",
        worst,
        1e-5);
  }

  private static void seekr(TwoTasks run, FidelityTable table) {
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
        MethodName.seekr,
        Check.PROPERTY,
        "distilled heads that differ",
        "those of largest S F in the best layers",
        Math.abs(missed),
        0);
  }
}
