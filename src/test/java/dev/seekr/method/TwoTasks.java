package dev.seekr.method;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Batch;
import dev.seekr.data.Sample;
import dev.seekr.disk.RunFolder;
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
    this.lr = lr;
    this.data = data;
    folder.toFile().mkdirs();
    config = ConfigReader.parse("", "test", List.of(settings));
    model = TinyModel.random(SHAPE, ops, memory, 5, Recompute.none);
    method = Methods.of(new Setup(config, model, new RunFolder(folder)));
    learner = new Learner(model, method, config.train());
  }

  static List<Sample> samples(int stage) {
    return TinyModel.samples(8, 24, SHAPE.V(), 7 + stage);
  }

  Method.Context context(int stage) {
    var w = learner.weights() == null ? model.weights : learner.weights();
    return new Method.Context(stage, "task" + stage, data.apply(stage), w);
  }

  /** Begins a task. */
  void begin(int stage) {
    method.begin(context(stage));
    learner.train();
  }

  /** Ends a task. */
  void end(int stage) {
    method.end(context(stage));
    learner.train();
  }

  /** Learns a whole task. */
  Losses learn(int stage, int epochs) {
    begin(stage);
    Losses last = steps(stage, epochs);
    end(stage);
    return last;
  }

  /** The steps of a task alone; losses of the last. */
  Losses steps(int stage, int epochs) {
    Losses last = null;
    int number = 0;
    List<Sample> samples = context(stage).samples();
    for (int e = 0; e < epochs; e++) {
      for (int i = 0; i < samples.size(); i += 4)
        last = learner.step(number++, units(samples.subList(i, i + 4)), lr).losses();
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
    var pass = method.model().begin(batch, false).all();
    return pass.loss(OutputLoss.labels(batch, 1)).nllSum() / batch.targets();
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
    try (var objective = by.learn(batch, Step.of(batch.samples()))) {
      var pass = by.model().forward(batch);
      var tapped = pass.backward(objective.output(), objective.tap(), grads, true);
      objective.booking().book(tapped, losses);
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
