package dev.seekr.verify;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.Reduction;
import dev.seekr.config.RunConfig;
import dev.seekr.data.Sample;
import dev.seekr.data.SampledQueries;
import dev.seekr.disk.Fields;
import dev.seekr.disk.RunFolder;
import dev.seekr.disk.Scratch;
import dev.seekr.method.L2p;
import dev.seekr.method.Lfpt5;
import dev.seekr.method.Method;
import dev.seekr.method.Methods;
import dev.seekr.method.ProgressivePrompts;
import dev.seekr.method.Replay;
import dev.seekr.method.Replayed;
import dev.seekr.method.Seekr;
import dev.seekr.method.Setup;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.Lora;
import dev.seekr.model.Parameters;
import dev.seekr.model.PromptParameters;
import dev.seekr.ops.Ops;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.tensor.DType;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;
import java.util.stream.IntStream;

/**
 * A folder of reference runs of methods over several tasks: config.json, init and
 * start.safetensors, plan.json (samples, what is kept and drawn, micro-batches of each step), and a
 * folder a case with expected.json and expected.safetensors. Every loss term of every step, the
 * norm before clipping, what is trained after each task and what is kept of it are compared; errors
 * are in tolerances, so that the bound is 1.
 */
final class MethodsCheck {
  /** What is trained of the network of progressive prompts, by the references' names. */
  private static final List<String> NETWORK =
      List.of("up.weight", "up.bias", "down.weight", "down.bias", "norm.weight", "norm.bias");

  private final Path folder;
  private final Ops ops;
  private final boolean recompute;
  private final Plan plan;
  private final LlamaConfig config;
  private final Checks checks = new Checks();

  private MethodsCheck(Path folder, Ops ops, boolean recompute) {
    this.folder = folder;
    this.ops = ops;
    this.recompute = recompute;
    config = LlamaConfig.read(folder);
    plan = Plan.read(folder.resolve("plan.json"), config);
  }

  /** Whether the folder is laid out so. */
  static boolean in(Path folder) {
    return Files.exists(folder.resolve("plan.json"));
  }

  static Checks verify(Path folder, Ops ops, boolean recompute) {
    var check = new MethodsCheck(folder, ops, recompute);
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

  private void run(String name, List<String> settings, Reduction reduction) {
    Path at = folder.resolve(name);
    Fields expected = Fields.read(at.resolve("expected.json"));
    var steps = new Expected(name, reduction, expected, checks);
    RunConfig run = settings(settings, reduction);
    boolean mtl = name.equals("mtl");
    var plans = mtl ? plan.mtlSteps() : plan.steps();
    try (var scratch = Scratch.create();
        var memory = new Memory("reference run");
        var tensors = Safetensors.open(at.resolve("expected.safetensors"));
        var start = Safetensors.open(folder.resolve("start.safetensors"));
        var model = Golden.model(folder, "init", config, ops, memory, recompute);
        Method method = method(run, model, scratch.folder());
        var learner = new Learner(model, method, run.train())) {
      for (int k = 0; k < plans.size(); k++) {
        var samples = mtl ? plan.all() : plan.tasks().get(k);
        var context = new Method.Context(k, "task" + k, samples, null);
        method.begin(context);
        begin(method, start, k);
        learner.train();
        for (int i = 0; i < plans.get(k).size(); i++) {
          List<Unit> units = units(plans.get(k).get(i), method);
          if (units.isEmpty()) continue;
          double lr = run.train().lr() * method.lrScale();
          steps.compare(k, i, learner.step(i, units, lr));
        }
        trained(steps, tensors, method, k);
        end(method, new Method.Context(k, context.name(), samples, learner.weights()), k);
        kept(steps, tensors, method, k);
        learner.train();
      }
    }
  }

  private Method method(RunConfig run, LlamaModel model, Path scratch) {
    var setup = new Setup(run, model, new RunFolder(scratch));
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
    all.addAll(List.of("train.weight_decay=0", "train.micro_tokens=1000000"));
    all.addAll(List.of("train.reduction=" + reduction, "method.buffer_dtype=f32"));
    all.addAll(more);
    return ConfigReader.read(List.of(), all);
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

  private List<Unit> units(List<Plan.Micro> micros, Method method) {
    List<Replayed> stored = method.replay();
    var units = new ArrayList<Unit>();
    for (Plan.Micro micro : micros) {
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

  /** What is trained, by the references' names. */
  private void trained(Expected steps, Safetensors tensors, Method method, int k) {
    Parameters trained = method.trained();
    var actual = new LinkedHashMap<String, Tensor>();
    if (trained instanceof PromptParameters soft) {
      boolean l2p = method instanceof L2p;
      actual.put(l2p ? "prompts" : "prompt", soft.rows());
      if (l2p) actual.put("keys", soft.more(0));
      else
        for (int i = 1; i < soft.blocks().size(); i++)
          actual.put(NETWORK.get(i - 1), soft.more(i - 1));
    } else {
      trained.byName().forEach((path, t) -> actual.put(plain(path), t));
    }
    actual.forEach((name, t) -> steps.tensor(tensors, k, name, t.toDoubles()));
  }

  /** Logits and attention rows of kept samples, and head importance. */
  private void kept(Expected steps, Safetensors tensors, Method method, int k) {
    BiConsumer<String, double[]> compare = (name, x) -> steps.tensor(tensors, k, name, x);
    if (method instanceof Seekr seekr) {
      String scores =
          switch (method.setup().config().method().seekr().choice()) {
            case sensitivity -> "S";
            case forgettability -> "F";
            default -> "I";
          };
      compare.accept(
          scores, Arrays.stream(seekr.importance()).flatMapToDouble(Arrays::stream).toArray());
    }
    if (method instanceof ProgressivePrompts pp) {
      Tensor table = pp.prompts().table();
      long n = table.dim(0) / (k + 1);
      compare.accept("P", table.rows(k * n, (k + 1) * n).toDoubles());
    }
    if (!tensors.has(steps.name(k, "kept0.logits"))) return;
    List<Replayed> stored = method.replay();
    int n = plan.kept(k).size(), first = stored.size() - n;
    for (int j = 0; j < n; j++) {
      try (var memory = new Memory("kept")) {
        var entry = stored.get(first + j).read(memory);
        compare.accept("kept%d.logits".formatted(j), entry.logits().toDoubles());
      }
    }
  }

  /** plan.json. */
  private record Plan(
      Fields json,
      List<List<Sample>> tasks,
      List<List<Sample>> pseudo,
      List<List<List<Micro>>> steps,
      List<List<List<Micro>>> mtlSteps) {
    /** A micro-batch: pairs of a task and a sample, or the place of a kept one. */
    record Micro(boolean replay, List<int[]> samples) {}

    static Plan read(Path file, LlamaConfig config) {
      Fields json = Fields.read(file);
      return new Plan(
          json,
          samples(json, "tasks", config),
          samples(json, "pseudo", config),
          steps(json, "steps"),
          steps(json, "mtl_steps"));
    }

    private static List<List<Sample>> samples(Fields json, String name, LlamaConfig config) {
      var tasks = new ArrayList<List<Sample>>();
      for (var task : json.json().path(name)) {
        var samples = new ArrayList<Sample>();
        for (var node : task) {
          var sample = new Fields(node, json.where());
          samples.add(
              new Sample(
                  sample.wholes("tokens", 0, config.V() - 1),
                  sample.whole("answer_start", 1, Integer.MAX_VALUE)));
        }
        tasks.add(samples);
      }
      return tasks;
    }

    private static List<List<List<Micro>>> steps(Fields json, String name) {
      var stages = new ArrayList<List<List<Micro>>>();
      for (var stage : json.json().path(name)) {
        var steps = new ArrayList<List<Micro>>();
        for (var step : stage) {
          var micros = new ArrayList<Micro>();
          for (var node : step) {
            var micro = new Fields(node, json.where());
            int[][] pairs = micro.lists("samples", 0, Integer.MAX_VALUE);
            micros.add(new Micro(micro.text("kind").equals("replay"), List.of(pairs)));
          }
          steps.add(micros);
        }
        stages.add(steps);
      }
      return stages;
    }

    Fields hyper() {
      return json.section("hyper");
    }

    double[] betas() {
      var betas = hyper().json().path("betas");
      return new double[] {betas.path(0).doubleValue(), betas.path(1).doubleValue()};
    }

    List<Sample> all() {
      return tasks.stream().flatMap(List::stream).toList();
    }

    List<Sample> kept(int k) {
      return IntStream.of(json.lists("kept", 0, Integer.MAX_VALUE)[k])
          .mapToObj(tasks.get(k)::get)
          .toList();
    }

    /** Place of [task, position] among all that is kept. */
    int position(int[] pair) {
      int before = 0;
      for (int k = 0; k < pair[0]; k++) before += kept(k).size();
      return before + pair[1];
    }

    List<SampledQueries> queries(int k) {
      var queries = new ArrayList<SampledQueries>();
      for (var rows : json.json().path("rows").path(k)) {
        int[] drawn = IntStream.range(0, rows.size()).map(i -> rows.path(i).intValue()).toArray();
        queries.add(SampledQueries.of(drawn));
      }
      return queries;
    }
  }

  /** What a case expects under one reduction. */
  private record Expected(String name, Reduction reduction, Fields json, Checks checks) {
    private Fields tolerance(String kind) {
      return json.section("tolerance").section(kind);
    }

    /** Of float32, where the reference's own needs more than one tolerance. */
    private double bound() {
      return Math.max(1, json.section(reduction.name()).number("float32_needs"));
    }

    String name(int k, String quantity) {
      return "%s.task%d.%s".formatted(reduction, k, quantity);
    }

    void compare(int k, int i, Learner.Result result) {
      for (Fields step : json.section(reduction.name()).sections("steps")) {
        if (step.whole("task", 0, 1 << 20) != k || step.whole("step", 0, 1 << 20) != i) continue;
        String at = "%s.%s".formatted(name, name(k, "step" + i));
        scalar(at + ".total", result.losses().total(), step.number("total"));
        scalar(at + ".norm", result.gradNorm(), step.number("norm"));
        Map<String, Double> means = result.losses().means();
        Fields terms = step.section("terms");
        for (var term : terms.json().properties())
          scalar(
              at + "." + term.getKey(),
              means.getOrDefault(term.getKey(), Double.NaN),
              terms.number(term.getKey()));
        return;
      }
      checks.add("%s.%s is not expected".formatted(name, name(k, "step" + i)), Double.NaN, 1);
    }

    private void scalar(String at, double actual, double expected) {
      var t = tolerance("scalar");
      double allowed = t.number("absolute") + t.number("relative") * Math.abs(expected);
      checks.add(at, Math.abs(actual - expected) / allowed, bound());
    }

    void tensor(Safetensors tensors, int k, String quantity, double[] actual) {
      String at = name(k, quantity);
      if (!tensors.has(at)) return;
      double[] expected;
      try (var memory = new Memory("expected")) {
        Tensor t = memory.allocate("expected", DType.F64, tensors.shape(at));
        tensors.read(at, t);
        expected = t.toDoubles();
      }
      double worst = actual.length == expected.length ? 0 : Double.NaN, largest = 1e-30;
      for (double e : expected) largest = Math.max(largest, Math.abs(e));
      for (int i = 0; i < Math.min(actual.length, expected.length); i++)
        worst = Math.max(worst, Math.abs(actual[i] - expected[i]));
      double allowed = tolerance("tensor").number("of_largest") * largest;
      checks.add(name + "." + at, worst / allowed, bound());
    }
  }
}
