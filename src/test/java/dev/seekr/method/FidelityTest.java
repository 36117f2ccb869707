package dev.seekr.method;

import static org.assertj.core.api.Assertions.assertThat;

import dev.seekr.config.MethodName;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.method.FidelityTable.Check;
import dev.seekr.method.FidelityTable.Subject;
import dev.seekr.model.Adapters;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.ModelFolder;
import dev.seekr.model.Parameters;
import dev.seekr.model.SoftPrompts;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.ops.reference.ReferenceOps;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Tensor;
import dev.seekr.trainer.Unit;
import dev.seekr.verify.Checks;
import dev.seekr.verify.Golden;
import dev.seekr.verify.Mutant;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/**
 * Fills the fidelity table: every method, every check. What a method alone must show is {@link
 * OwnProperties}.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
class FidelityTest {
  private static final int V = TwoTasks.SHAPE.V();

  private static final Path REFERENCES = Path.of("src/test/resources/methods");

  @TempDir static Path folder;
  private final FidelityTable table = new FidelityTable();
  private int runs;

  /**
   * Tasks of one label each sample: which of the task's two depends on the first token's parity.
   */
  static List<Sample> labelled(int task) {
    var random = new SplittableRandom(100 + task);
    var samples = new ArrayList<Sample>();
    for (int i = 0; i < 12; i++) {
      int n = random.nextInt(3, 7);
      int[] tokens = new int[n + 3];
      tokens[0] = 1;
      for (int t = 1; t <= n; t++) tokens[t] = random.nextInt(10 + 15 * task, 25 + 15 * task);
      tokens[n + 1] = 3 + 2 * task + tokens[1] % 2;
      tokens[n + 2] = 2;
      samples.add(new Sample(tokens, n + 1));
    }
    return samples;
  }

  TwoTasks run(Ops ops, Subject subject, String... more) {
    if (subject != Subject.RELEASED) return run(ops, subject.method, more);
    var released = Stream.concat(Stream.of("method.seekr.variant=released"), Arrays.stream(more));
    return run(ops, subject.method, released.toArray(String[]::new));
  }

  TwoTasks run(Ops ops, MethodName method, String... more) {
    var settings =
        new ArrayList<>(
            List.of(
                "method.name=" + method,
                "method.buffer_dtype=f32",
                "method.replay_ratio=0",
                "method.replay_samples=6",
                "method.derpp.alpha=1",
                "method.lambda1=0.4",
                "method.seekr={lambda2: 10, layers: 2, heads: 4, queries: 6}",
                "method.ewc.lambda=1e4",
                "method.lwf={lambda: 2, cache: none}",
                "method.lora={rank: 2, alpha: 8}",
                "method.prompt.length=3",
                "method.pp.hidden=5",
                "method.l2p={pool: 6, picks: 2, penalty: true}",
                "method.lfpt5.top_k=" + V,
                "data.max_answer=6"));
    settings.addAll(List.of(more));
    boolean all = method == MethodName.mtl;
    return new TwoTasks(
        folder.resolve("run" + runs++),
        ops,
        rate(method),
        t -> samples(t, all),
        settings.toArray(String[]::new));
  }

  private static List<Sample> samples(int task, boolean all) {
    if (!all) return labelled(task);
    var both = new ArrayList<>(labelled(0));
    both.addAll(labelled(1));
    return both;
  }

  private static double rate(MethodName method) {
    return switch (method) {
      case l2p, pp, lfpt5 -> 3e-2;
      case lora, olora -> 1e-2;
      default -> 2e-3;
    };
  }

  /** Learns the first task and begins the second; of multi-task learning, begins its one stage. */
  private static int toTheSecond(TwoTasks run, MethodName method) {
    if (method != MethodName.mtl) {
      run.begin(0);
      run.steps(0, 2);
      // A random model makes up nothing that passes the filter.
      if (run.method instanceof Lfpt5 lfpt5)
        lfpt5.keep(run.context(0), run.context(0).samples().subList(0, 6));
      else run.end(0);
    }
    int stage = method == MethodName.mtl ? 0 : 1;
    run.begin(stage);
    return stage;
  }

  private static void perturb(Parameters w, double by, long seed) {
    var random = new SplittableRandom(seed);
    for (var block : w.blocks())
      for (int i = 0; i < block.tensor().size(); i++)
        block.tensor().add(i, by * random.nextGaussian());
  }

  private static Losses total(TwoTasks run, List<Unit> units) {
    var losses = new Losses();
    run.learner.gradients(0, units, losses);
    return losses;
  }

  /** Of A-GEM in its first task: afterwards its gradient is turned, and is no loss's. */
  @ParameterizedTest
  @EnumSource
  void gradients(Subject subject) {
    var method = subject.method;
    try (Ops ops = new ReferenceOps(DType.F64);
        var run = run(ops, subject)) {
      if (method == MethodName.agem) run.begin(0);
      int stage = method == MethodName.agem ? 0 : toTheSecond(run, method);
      Parameters w = run.method.trained();
      perturb(w, 0.02, 3);
      List<Unit> units = run.units(run.context(stage).samples().subList(0, 4));
      var losses = total(run, units);
      assertThat(losses.means().values()).allMatch(mean -> mean > 0);
      double[] gradient = run.learner.grads().flat().toDoubles();
      double most = Arrays.stream(gradient).map(Math::abs).max().orElseThrow(), worst = 0;
      var random = new SplittableRandom(4);
      for (var each : w.blocks()) {
        Tensor block = each.tensor();
        long at = (block.data().address() - w.flat().data().address()) / 8;
        for (int k = 0; k < 4; k++) {
          int i = random.nextInt((int) block.size());
          double h = 1e-5, old = block.get(i);
          block.set(i, old + h);
          double up = total(run, units).total();
          block.set(i, old - h);
          double down = total(run, units).total();
          block.set(i, old);
          worst = Math.max(worst, Math.abs(gradient[(int) at + i] - (up - down) / (2 * h)));
        }
      }
      table.add(
          subject,
          Check.GRADIENT,
          "gradient of the whole objective in the second task: largest difference over largest element",
          "central differences in double precision",
          worst / most,
          1e-6);
    }
  }

  /** Whole runs by torch; what is drawn stands with replay. */
  @Test
  void everyMethodIsASubject() {
    assertThat(Subject.values()).extracting(s -> s.method).contains(MethodName.values());
  }

  @Test
  void references() throws IOException {
    List<Checks.Check> checks;
    try (Ops ops = TinyModel.cpu()) {
      checks = Golden.verify(REFERENCES, ops, Recompute.layers).all();
    }
    var byCase = new TreeMap<String, List<Checks.Check>>();
    for (var check : checks)
      byCase
          .computeIfAbsent(check.quantity().split("\\.")[0], name -> new ArrayList<>())
          .add(check);
    for (Subject subject : Subject.values()) {
      byCase.forEach(
          (name, all) -> {
            if (subject.has(name)) reference(subject, name, all);
          });
      table.lookAlikes(
          subject,
          Mutant.all().stream()
              .filter(m -> m.cases().stream().anyMatch(subject::has))
              .map(Mutant::name)
              .toList());
    }
    assertThat(byCase.keySet())
        .allMatch(name -> Stream.of(Subject.values()).anyMatch(s -> s.has(name)));
  }

  private void reference(Subject subject, String name, List<Checks.Check> checks) {
    double worst = 0;
    for (var check : checks)
      worst = Math.max(worst, check.error() / (check.bound() == 0 ? 0.5 : check.bound()));
    table.add(
        subject,
        Check.REFERENCE,
        "case %s, %d quantities: largest error in units of its bound"
            .formatted(name, checks.size()),
        "PyTorch in float64",
        worst,
        1);
  }

  @ParameterizedTest
  @EnumSource
  void backends(Subject subject) {
    List<Map<String, Double>> cpu = tenSteps(TinyModel.cpu(), subject);
    List<Map<String, Double>> reference = tenSteps(new ReferenceOps(DType.F32), subject);
    double worst = 0;
    assertThat(cpu).hasSize(10);
    for (int i = 0; i < 10; i++) {
      assertThat(cpu.get(i)).containsOnlyKeys(reference.get(i).keySet());
      for (String name : cpu.get(i).keySet()) {
        double r = reference.get(i).get(name);
        worst = Math.max(worst, Math.abs(cpu.get(i).get(name) - r) / Math.max(1, Math.abs(r)));
      }
    }
    table.add(
        subject,
        Check.BACKENDS,
        "every loss of ten steps on the CPU backend",
        "the reference backend",
        worst,
        1e-4);
  }

  private List<Map<String, Double>> tenSteps(Ops ops, Subject subject) {
    var losses = new ArrayList<Map<String, Double>>();
    try (ops;
        var run = run(ops, subject)) {
      int stage = toTheSecond(run, subject.method);
      var samples = run.context(stage).samples();
      for (int i = 0; i < 10; i++) {
        var units = run.units(samples.subList(i % 3 * 4, i % 3 * 4 + 4));
        losses.add(run.learner.step(0, units, rate(subject.method)).losses().means());
      }
    }
    return losses;
  }

  @ParameterizedTest
  @EnumSource
  void savedModels(Subject subject) {
    try (Ops ops = TinyModel.cpu();
        var run = run(ops, subject)) {
      run.learn(0, 2);
      if (subject != Subject.MTL) run.learn(1, 2);
      Path saved = folder.resolve("saved-" + subject);
      ModelFolder.save(saved, folder, run.model, DType.F32, run.method.prompts());
      var weights = new Weights(TwoTasks.SHAPE, ops, run.memory, "weights");
      ModelFolder.load(saved, weights, ops);
      var prompts = SoftPrompts.load(saved, weights, ops, run.memory);
      try (var base = new LlamaModel(TwoTasks.SHAPE, weights, ops, Recompute.none)) {
        var loaded = prompts == null ? base : base.with(Adapters.of(prompts.table()));
        double worst = 0;
        for (int task = 0; task < 2; task++) {
          int[] tokens = run.context(task).samples().getFirst().prompt();
          String name = "task" + task;
          var now = run.method.prompts();
          double[] a =
              logits(run.method.model(), now == null ? tokens : now.before(name, tokens), run);
          double[] b = logits(loaded, prompts == null ? tokens : prompts.before(name, tokens), run);
          for (int i = 0; i < a.length; i++) worst = Math.max(worst, Math.abs(a[i] - b[i]));
        }
        table.add(
            subject,
            Check.SAVED,
            "logits after saving and loading",
            "logits before saving",
            worst,
            0);
      }
    }
  }

  private static double[] logits(LlamaModel model, int[] tokens, TwoTasks run) {
    Tensor out = run.memory.allocate("logits", DType.F32, 1, V);
    model.forward(Batch.of(new Sample(tokens, 1))).logits(out, tokens.length - 1);
    return out.toDoubles();
  }

  /**
   * What a stream of two tasks came to.
   *
   * @param forgotten how much worse the first task is after the second, in nats a token
   * @param learnt loss of the second task, relative to that before it was trained
   */
  private record Outcome(double forgotten, double learnt) {}

  private Outcome stream(Subject subject, String... settings) {
    try (Ops ops = TinyModel.cpu();
        var run = run(ops, subject, settings)) {
      if (run.method instanceof PromptTuning) OwnProperties.pretrain(run, ops);
      double start = run.loss(0);
      run.learn(0, 20);
      double first = run.loss(0);
      if (subject == Subject.MTL) return new Outcome(0, first / start);
      double before = run.loss(1);
      run.learn(1, 20);
      return new Outcome(Math.max(0, run.loss(0) - first), run.loss(1) / before);
    }
  }

  private Outcome seqft;

  @ParameterizedTest
  @EnumSource
  void learning(Subject subject) {
    if (seqft == null) seqft = stream(Subject.SEQFT);
    assertThat(seqft.forgotten).isGreaterThan(0.5);
    var outcome = stream(subject);
    assertThat(outcome.learnt).isBetween(0.0, 0.95);
    switch (subject) {
      case SEQFT, LORA, OLORA, L2P, PP, LFPT5, MTL ->
          table.add(
              subject,
              Check.LEARNING,
              subject == Subject.MTL
                  ? "loss of both tasks after training"
                  : "loss of a second task after training",
              "loss before training",
              outcome.learnt,
              0.95,
              "a method that learns nothing");
      default ->
          table.add(
              subject,
              Check.LEARNING,
              "increase of the first task's loss while a second is learnt",
              "the increase under plain fine-tuning",
              outcome.forgotten / seqft.forgotten,
              0.95,
              "a method that learns nothing, or prevents no forgetting");
    }
  }

  @ParameterizedTest
  @EnumSource
  void identities(Subject subject) {
    new OwnProperties(this).identity(subject, table);
  }

  @ParameterizedTest
  @EnumSource
  void properties(Subject subject) {
    new OwnProperties(this).property(subject, table);
  }

  /** Where the table is kept; with -Dfidelity=write it is written instead. */
  @AfterAll
  void theTableIsInTheDocuments() throws IOException {
    Path file = Path.of("docs/fidelity.md");
    if ("write".equals(System.getProperty("fidelity"))) Files.writeString(file, table.markdown());
    table.assertIn(Files.readString(file));
  }
}
