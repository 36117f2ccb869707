package dev.seekr.verify;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.Reduction;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Sample;
import dev.seekr.data.Task;
import dev.seekr.disk.RunFolder;
import dev.seekr.disk.Scratch;
import dev.seekr.distributed.Collectives;
import dev.seekr.method.L2p;
import dev.seekr.method.Lfpt5;
import dev.seekr.method.Losses;
import dev.seekr.method.Method;
import dev.seekr.method.Methods;
import dev.seekr.method.Replay;
import dev.seekr.method.Replayed;
import dev.seekr.method.Seekr;
import dev.seekr.method.Setup;
import dev.seekr.method.Step;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Lora;
import dev.seekr.model.Parameters;
import dev.seekr.model.PromptParameters;
import dev.seekr.ops.Ops;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * A folder of reference runs of methods over several tasks: config.json, init and
 * start.safetensors, plan.json (samples, what is kept and drawn, micro-batches of each step), and a
 * folder a case with expected.json and expected.safetensors. All that a case expects is compared,
 * under each reduction that training has: of a step its losses, those of each micro-batch, the norm
 * before clipping, gradients and choices; of a task what is trained and what is kept of it. A case
 * or a quantity that is not computed here is a miss.
 */
final class MethodsCheck {
  private static final int MICRO_TOKENS = 1_000_000;

  /** What is trained of the network of progressive prompts, by the references' names. */
  private static final List<String> NETWORK =
      List.of("up.weight", "up.bias", "down.weight", "down.bias", "norm.weight", "norm.bias");

  private final Path folder;
  private final Ops ops;
  private final Recompute recompute;
  private final Collectives all;
  private final MethodPlan plan;
  private final LlamaConfig config;
  private final Checks checks = new Checks();

  private MethodsCheck(Path folder, Ops ops, Recompute recompute, Collectives all) {
    this.all = all;
    this.folder = folder;
    this.ops = ops;
    this.recompute = recompute;
    config = LlamaConfig.read(folder);
    plan = MethodPlan.read(folder.resolve("plan.json"), config);
  }

  /** Whether the folder is laid out so. */
  static boolean in(Path folder) {
    return Files.exists(folder.resolve("plan.json"));
  }

  static Checks verify(Path folder, Ops ops, Recompute recompute, Collectives all) {
    var check = new MethodsCheck(folder, ops, recompute, all);
    for (var each : MethodCases.of(check.plan.hyper()).entrySet())
      if (Files.isDirectory(folder.resolve(each.getKey())))
        for (Reduction reduction : Reduction.values())
          check.run(each.getKey(), each.getValue(), reduction);
    for (String unknown : MethodCases.unknown(folder, check.plan.hyper()))
      check.checks.add(unknown + ": a case that is not computed here", Double.NaN, 1);
    MethodCases.OTHER_FORMS.forEach(
        (name, why) -> {
          if (Files.isDirectory(folder.resolve(name)))
            check.checks.note(name + ": not a form that Seekr has: " + why);
        });
    return check.checks;
  }

  /** One case alone, which there must be. */
  static Checks verify(Path folder, Ops ops, String name, Reduction reduction) {
    var check = new MethodsCheck(folder, ops, Recompute.none, Collectives.ALONE);
    check.run(name, MethodCases.of(check.plan.hyper()).get(name), reduction);
    return check.checks;
  }

  private void run(String name, List<String> settings, Reduction reduction) {
    RunConfig run = settings(settings, reduction);
    boolean mtl = name.equals("mtl");
    var plans = mtl ? plan.mtlSteps() : plan.steps();
    try (var scratch = Scratch.create();
        var memory = new Memory("reference run");
        var expected = new Expectation(folder.resolve(name), reduction, ops.wide(), checks);
        var start = Safetensors.open(folder.resolve("start.safetensors"));
        var model = Golden.model(folder, "init", config, ops, memory, recompute);
        Method method = method(run, model, scratch.folder());
        var learner = new Learner(model, method, run.train())) {
      stages(name, method, mtl);
      var kept = new MethodKept(expected, plan);
      for (int k = 0; k < plans.size(); k++) {
        var samples = mtl ? plan.all() : plan.tasks().get(k);
        var context = new Method.Context(k, "task" + k, samples, null);
        double[] before = generating(method);
        method.begin(context);
        if (before != null) anew(name, before, generating(method), k);
        begin(method, start, k);
        learner.train();
        for (int i = 0; i < plans.get(k).size(); i++) {
          List<Unit> units = units(plans.get(k).get(i), method);
          if (units.isEmpty()) continue;
          alone(expected, method, units, Expectation.step(k, i));
          double lr = run.train().lr() * method.lrScale();
          step(expected, learner.step(i, units, lr), Expectation.step(k, i));
          String grad = Expectation.step(k, i) + ".grad.";
          named(method, learner.grads())
              .forEach((path, t) -> expected.tensor(grad + path, t.toDoubles()));
        }
        String task = "task" + k + ".";
        named(method, method.trained())
            .forEach((path, t) -> expected.tensor(task + path, t.toDoubles()));
        end(method, new Method.Context(k, context.name(), samples, learner.weights()), k);
        kept.compare(method, k);
        learner.train();
      }
      expected.nothingIsLeft();
      all.barrier(); // what one has kept others may still read
    }
  }

  private Method method(RunConfig run, LlamaModel model, Path scratch) {
    byte[] mine = scratch.toString().getBytes(StandardCharsets.UTF_8);
    Path shared = Path.of(new String(all.gather(mine)[0], StandardCharsets.UTF_8));
    var setup = new Setup(run, model, new RunFolder(shared), all);
    return switch (run.method().name()) {
      case seekr -> new Seekr(setup, (context, _) -> plan.queries(context.index()));
      default -> Methods.of(setup);
    };
  }

  private RunConfig settings(List<String> more, Reduction reduction) {
    var h = plan.hyper();
    double[] betas = plan.betas();
    var all = new ArrayList<String>();
    all.add("train.lr=" + h.number("lr"));
    all.addAll(List.of("train.beta1=" + betas[0], "train.beta2=" + betas[1]));
    all.add("train.eps=" + h.number("adam_eps"));
    all.add("train.clip=" + h.number("clip"));
    all.addAll(List.of("train.weight_decay=0", "train.micro_tokens=" + MICRO_TOKENS));
    all.addAll(List.of("train.reduction=" + reduction, "method.buffer_dtype=f32"));
    all.addAll(more);
    return ConfigReader.read(List.of(), all);
  }

  /** The tasks of each stage: one each, or all in one. */
  private void stages(String name, Method method, boolean all) {
    var tasks =
        IntStream.range(0, plan.tasks().size())
            .mapToObj(k -> new Task("task" + k, List.of(), List.of(), List.of(), false))
            .toList();
    int[] inOrder = IntStream.range(0, tasks.size()).toArray();
    var stages = method.stages(tasks);
    checks.same(name + ".stages", new int[] {stages.size()}, new int[] {all ? 1 : tasks.size()});
    int[] actual =
        stages.stream().flatMap(s -> s.tasks().stream()).mapToInt(tasks::indexOf).toArray();
    checks.same(name + ".stages.tasks", actual, inOrder);
  }

  /** LFPT5's row that makes samples, which is not as it was when another task begins. */
  private static double[] generating(Method method) {
    if (!(method instanceof Lfpt5) || method.trained() == null) return null;
    Tensor rows = ((PromptParameters) method.trained()).rows();
    return rows.rows(rows.dim(0) - 1, rows.dim(0)).toDoubles();
  }

  private void anew(String name, double[] before, double[] now, int k) {
    long same = IntStream.range(0, now.length).filter(i -> now[i] == before[i]).count();
    checks.add("%s.task%d.generate as before".formatted(name, k), same, 0);
  }

  /** What begins at random is given. */
  private void begin(Method method, Safetensors start, int k) {
    String name = method.setup().config().method().name().name();
    if (method.trained() instanceof Lora lora)
      lora.byName()
          .forEach(
              (path, t) -> {
                String from = "lora.task%d.%s".formatted(k, plain(path));
                if (start.has(from)) start.read(from, t);
              });
    if (!(method.trained() instanceof PromptParameters soft)) return;
    switch (name) {
      case "l2p" -> {
        if (k > 0) return;
        start.read("l2p.prompts", soft.rows());
        start.read("l2p.keys", soft.more(0));
      }
      case "lfpt5" -> {
        long n = soft.rows().dim(0) - 1;
        if (k == 0) start.read("lfpt5.prompt", soft.rows().rows(0, n));
        start.read("lfpt5.task%d.generate".formatted(k), soft.rows().rows(n, n + 1));
      }
      default -> {
        start.read("pp.task%d.prompt".formatted(k), soft.rows());
        for (int i = 1; i < soft.blocks().size(); i++)
          start.read("pp.task%d.%s".formatted(k, NETWORK.get(i - 1)), soft.more(i - 1));
      }
    }
  }

  private static String plain(String path) {
    return path.replace("base_model.model.", "").replaceAll("(lora_[AB])\\.weight$", "$1");
  }

  private List<Unit> units(List<MethodPlan.Micro> micros, Method method) {
    List<Replayed> stored = method.replay();
    var units = new ArrayList<Unit>();
    for (MethodPlan.Micro micro : micros) {
      if (!micro.replay()) {
        units.add(
            new Unit.Fresh(
                micro.samples().stream().map(s -> plan.tasks().get(s[0]).get(s[1])).toList()));
      } else if (!stored.isEmpty()) {
        units.add(
            new Unit.Rehearsal(
                micro.samples().stream().map(s -> stored.get(plan.position(s))).toList()));
      }
    }
    return units;
  }

  /** Losses of a step, and the norm. */
  private static void step(Expectation expected, Learner.Result result, String at) {
    expected.scalar(at + ".total", result.losses().total());
    expected.scalar(at + ".norm", result.gradNorm());
    result.losses().means().forEach((term, mean) -> expected.scalar(at + "." + term, mean));
  }

  /** Losses of each micro-batch as its own means, and what it chooses, before the step is taken. */
  private static void alone(Expectation expected, Method method, List<Unit> units, String at) {
    var picks = new ArrayList<int[]>();
    for (int m = 0; m < units.size(); m++) {
      Unit unit = units.get(m);
      int targets = unit.samples().stream().mapToInt(Sample::targets).sum();
      Step step =
          unit instanceof Unit.Fresh
              ? Step.of(unit.samples())
              : new Step(0, List.of(), 0, 1.0 / targets, 1.0 / unit.samples().size(), 0);
      method.beforeStep(step);
      var losses = new Losses();
      for (Unit.Pass pass : unit.passes(MICRO_TOKENS)) {
        try (var objective = pass.objective(method, step)) {
          var forward = method.model().forward(objective.batch());
          var tapped = forward.backward(objective.output(), objective.tap(), null, false);
          objective.booking().book(tapped, losses);
        }
      }
      if (method instanceof L2p l2p) {
        for (Sample s : unit.samples()) {
          picks.add(l2p.picks(s));
          losses.add("keys", l2p.distance(s), 1, 1.0 / unit.samples().size());
        }
      }
      String micro = at + ".micro" + m + ".";
      losses
          .means()
          .forEach(
              (term, mean) -> {
                if (expected.holds(micro + term)) expected.scalar(micro + term, mean);
              });
    }
    expected.choice(at + ".picks", picks.stream().flatMapToInt(IntStream::of).toArray());
  }

  private void end(Method method, Method.Context context, int k) {
    switch (method) {
      case Lfpt5 lfpt5 -> lfpt5.keep(context, plan.pseudo().get(k));
      case Replay replay -> {
        replay.remember(context, plan.kept(k));
        replay.setup().trainable().end(context);
      }
      default -> method.end(context);
    }
  }

  /** What is trained, or its gradient, by the references' names. */
  private static Map<String, Tensor> named(Method method, Parameters trained) {
    var named = new LinkedHashMap<String, Tensor>();
    if (trained instanceof PromptParameters soft) {
      boolean l2p = method instanceof L2p;
      named.put(l2p ? "prompts" : "prompt", soft.rows());
      if (l2p) named.put("keys", soft.more(0));
      else
        for (int i = 1; i < soft.blocks().size(); i++)
          named.put(NETWORK.get(i - 1), soft.more(i - 1));
    } else {
      trained.byName().forEach((path, t) -> named.put(plain(path), t));
    }
    return named;
  }
}
