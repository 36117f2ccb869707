package dev.seekr.method;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.OutputLoss;
import dev.seekr.model.SoftPrompts;
import dev.seekr.model.TinyModel;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntFunction;

/** A tiny model that learns two tasks by one method. */
final class TwoTasks implements AutoCloseable {
  static final LlamaConfig SHAPE = TinyModel.config();
  private final Path folder;
  private final double lr;
  private final IntFunction<List<Sample>> data;
  final Memory memory = new Memory("test");
  final RunConfig config;
  final LlamaModel model;
  final Method method;
  final Learner learner;

  TwoTasks(Path folder, Ops ops, double lr, String... settings) {
    this(folder, ops, lr, TwoTasks::samples, settings);
  }

  TwoTasks(Path folder, Ops ops, double lr, IntFunction<List<Sample>> data, String... settings) {
    this.folder = folder;
    this.lr = lr;
    this.data = data;
    folder.toFile().mkdirs();
    config = ConfigReader.parse("", "test", List.of(settings));
    model = TinyModel.random(SHAPE, ops, memory, 5, false);
    method = Methods.of(config, SHAPE, ops);
    learner = new Learner(model, method, config.train());
  }

  static List<Sample> samples(int stage) {
    return TinyModel.samples(8, 24, SHAPE.V(), 7 + stage);
  }

  /** The same object each time: a stage's samples are told apart by identity. */
  private final List<Method.Context> contexts = new ArrayList<>();

  Method.Context context(int stage) {
    while (contexts.size() <= stage) {
      int i = contexts.size();
      contexts.add(new Method.Context(i, "task" + i, data.apply(i), model, folder));
    }
    return contexts.get(stage);
  }

  /** Learns a whole task. */
  Losses learn(int stage, int epochs) {
    method.begin(context(stage));
    Losses last = steps(stage, epochs);
    method.end(context(stage));
    return last;
  }

  /** The steps of a task alone; losses of the last. */
  Losses steps(int stage, int epochs) {
    Losses last = null;
    List<Sample> samples = context(stage).samples();
    for (int e = 0; e < epochs; e++) {
      for (int i = 0; i < samples.size(); i += 4)
        last = learner.step(units(samples.subList(i, i + 4)), lr).losses();
    }
    return last;
  }

  /** New samples, and with them all that the method replays. */
  List<Unit> units(List<Sample> fresh) {
    var units = new ArrayList<Unit>(List.of(new Unit.Fresh(fresh)));
    if (!method.replay().isEmpty()) units.add(new Unit.Rehearsal(method.replay()));
    return units;
  }

  /** Mean negative log-likelihood of a task's target tokens. */
  double loss(int stage) {
    Batch batch = new Batch(inputs(stage));
    model.begin(batch, false);
    for (int l = 0; l < SHAPE.L(); l++) model.forwardLayer(l);
    model.finish();
    return model.loss(OutputLoss.labels(batch, 1)).nllSum() / batch.targets();
  }

  /** A task's samples as the model now reads them: with its soft prompts, if it has any. */
  List<Sample> inputs(int stage) {
    SoftPrompts prompts = method.prompts();
    if (prompts == null) return context(stage).samples();
    return context(stage).samples().stream()
        .map(s -> s.after(SoftPrompts.ids(prompts.choice().rows("task" + stage, s.prompt()))))
        .toList();
  }

  float[] weights() {
    return model.weights.flat().toFloats();
  }

  /** Gradients and losses of one pass over a batch as the method has it. */
  Losses pass(Method by, Batch batch, Weights grads) {
    var losses = new Losses();
    try (var objective = by.learn(batch, new Step(batch.targets(), batch.S()))) {
      model.forward(batch);
      var result = model.backward(objective.output(), objective.tap(), grads);
      objective.booking().book(result, objective.tap(), losses);
    }
    return losses;
  }

  static double distance(float[] a, float[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) sum += Math.pow(a[i] - b[i], 2);
    return Math.sqrt(sum);
  }

  @Override
  public void close() {
    learner.close();
    method.close();
    model.close();
    memory.close();
  }
}
