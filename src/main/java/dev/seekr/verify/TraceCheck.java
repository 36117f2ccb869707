package dev.seekr.verify;

import dev.seekr.Failure;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Interleave;
import dev.seekr.disk.RunFolder;
import dev.seekr.method.Method;
import dev.seekr.method.Seekr;
import dev.seekr.method.Setup;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.ops.Ops;
import dev.seekr.safetensors.Safetensors;
import dev.seekr.tensor.Memory;
import dev.seekr.tensor.Tensor;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;

/** A whole two-task run of SEEKR with one replay batch, stepped as training steps it. */
final class TraceCheck {
  private TraceCheck() {}

  static void run(
      Path folder, LlamaConfig config, Ops ops, Recompute recompute, Checks checks, Path scratch) {
    Trace json = Trace.read(folder.resolve("trace.json"), config);
    RunConfig settings = json.settings();
    try (var trace = Safetensors.open(folder.resolve("trace.safetensors"));
        var memory = new Memory("trace");
        var model = Golden.model(folder, "trace_init", config, ops, memory, recompute);
        var method =
            new Seekr(
                new Setup(settings, model, new RunFolder(scratch)),
                (c, s) -> new GoldenCase(s, 0).queries(trace, "replay.queries"));
        var learner = new Learner(model, method, settings.train())) {
      int at = 0;
      var first = GoldenCase.read(trace, "task1.0.", config.V()).samples();
      var context = new Method.Context(0, "task1", first, null);
      method.begin(context);
      for (Unit unit : fresh(trace, "task1.", config.V()))
        at = step(learner, unit, json, at, checks);
      method.remember(context, first);
      importance(method, json, trace, config, ops, checks);

      List<Unit> tasks = fresh(trace, "task2.", config.V());
      List<Unit> rehearsals =
          Collections.nCopies(tasks.size() / 2, new Unit.Rehearsal(method.replay()));
      for (var unit : Interleave.<Unit>of(tasks, rehearsals))
        at = step(learner, unit.item(), json, at, checks);
      checks.same("trace.steps", new int[] {at}, new int[] {json.steps().size()});
      finalWeights(model, trace, checks);
    }
  }

  private static void importance(
      Seekr method, Trace json, Safetensors trace, LlamaConfig config, Ops ops, Checks checks) {
    double[] i = Arrays.stream(method.importance()).flatMapToDouble(Arrays::stream).toArray();
    checks.elements("trace.importance", i, trace.get("importance").toDoubles(), Golden.TRACE);
    int[][] heads = method.replay().getFirst().buffer().heads();
    if (ops.dtype() != ops.wide()) {
      double forgone = forgone(trace.get("importance"), json.heads(), heads);
      checks.add("trace.selected_heads", forgone, Golden.TRACE);
      return;
    }
    var pairs = new ArrayList<Integer>();
    for (int l = 0; l < config.L(); l++) for (int h : heads[l]) pairs.addAll(List.of(l, h));
    int[] expected = Arrays.stream(json.heads()).flatMapToInt(Arrays::stream).toArray();
    checks.same("trace.selected_heads", ints(pairs), expected);
  }

  /**
   * Rounding turns the choice between heads that are nearly as important: the share of the expected
   * heads' importance [L,NH] that those selected fall short of.
   */
  private static double forgone(Tensor importance, int[][] expected, int[][] selected) {
    int NH = (int) importance.dim(1);
    double most = 0, sum = 0;
    for (int[] head : expected) most += importance.get((long) head[0] * NH + head[1]);
    for (int l = 0; l < selected.length; l++)
      for (int h : selected[l]) sum += importance.get((long) l * NH + h);
    return Math.max(0, most - sum) / most;
  }

  private static int[] ints(List<Integer> values) {
    return values.stream().mapToInt(Integer::intValue).toArray();
  }

  private static void finalWeights(LlamaModel model, Safetensors trace, Checks checks) {
    model
        .weights
        .byName()
        .forEach(
            (name, w) ->
                checks.norm("trace.final." + name, w, trace.get("final." + name), Golden.TRACE));
  }

  private static List<Unit> fresh(Safetensors trace, String prefix, int V) {
    var units = new ArrayList<Unit>();
    for (int i = 0; trace.has(prefix + i + ".input_ids"); i++) {
      units.add(new Unit.Fresh(GoldenCase.read(trace, prefix + i + ".", V).samples()));
    }
    return units;
  }

  /** One step, and each of its losses against the trace. */
  private static int step(Learner learner, Unit unit, Trace trace, int at, Checks checks) {
    boolean rehearsal = unit instanceof Unit.Rehearsal;
    if (at >= trace.steps().size() || trace.steps().get(at).rehearsal() != rehearsal)
      throw Failure.data(
          "%s: step %d is not one of %s samples, as training takes it",
          trace.file(), at, rehearsal ? "replayed" : "new");
    var expected = trace.steps().get(at);
    var losses = learner.step(at, List.of(unit), trace.settings().train().lr()).losses();
    String name = "trace.step" + at + ".";
    checks.number(name + "loss", losses.total(), expected.loss(), Golden.TRACE);
    if (rehearsal) {
      var means = losses.means();
      checks.number(name + "replay", means.get("replay"), expected.replay(), Golden.TRACE);
      checks.number(name + "ld", means.get("logits"), expected.logits(), Golden.TRACE);
      checks.number(name + "attn", means.get("attention"), expected.attention(), Golden.TRACE);
    }
    return at + 1;
  }
}
