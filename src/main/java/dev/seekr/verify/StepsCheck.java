package dev.seekr.verify;

import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.config.TrainSettings.Recompute;
import dev.seekr.data.Sample;
import dev.seekr.disk.Fields;
import dev.seekr.method.SeqFT;
import dev.seekr.method.Setup;
import dev.seekr.model.LlamaConfig;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.ModelFolder;
import dev.seekr.model.Weights;
import dev.seekr.ops.Ops;
import dev.seekr.tensor.Memory;
import dev.seekr.trainer.Learner;
import dev.seekr.trainer.Unit;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The first steps of fine-tuning a real model on one fixed batch, against those that PyTorch took
 * ({@code scripts/steps_reference.py}): the loss and the gradient norm of each, relative error at
 * most 1e-4.
 */
public final class StepsCheck {
  private static final double BOUND = 1e-4;

  private StepsCheck() {}

  /**
   * Throws Failure where the model or the file cannot be read (66), or are malformed (65).
   *
   * @param file what {@code steps_reference.py} wrote of the model in {@code folder}
   */
  public static Checks verify(Path file, Path folder, Ops ops, Recompute recompute) {
    var json = Fields.read(file);
    var settings = settings(json.section("settings"));
    LlamaConfig config = LlamaConfig.read(folder);
    List<Sample> samples = samples(json, config.V());
    List<Fields> steps = json.sections("steps");
    var checks = new Checks();
    try (var memory = new Memory("model")) {
      var weights = new Weights(config, ops, memory, "weights");
      ModelFolder.load(folder, weights, ops);
      try (var model = new LlamaModel(config, weights, ops, recompute);
          var learner =
              new Learner(model, new SeqFT(new Setup(settings, model, null)), settings.train())) {
        for (int i = 0; i < steps.size(); i++) {
          double loss = steps.get(i).number("loss"), norm = steps.get(i).number("norm");
          var step = learner.step(i, List.of(new Unit.Fresh(samples)), settings.train().lr());
          checks.number("steps.%d.loss".formatted(i), step.losses().total(), loss, BOUND);
          checks.number("steps.%d.norm".formatted(i), step.gradNorm(), norm, BOUND);
        }
      }
    }
    return checks;
  }

  private static RunConfig settings(Fields json) {
    var overrides = new ArrayList<String>();
    for (String key : List.of("lr", "beta1", "beta2", "eps", "weight_decay", "clip"))
      overrides.add("train.%s=%s".formatted(key, json.number(key)));
    return ConfigReader.read(List.of(), overrides);
  }

  private static List<Sample> samples(Fields json, int V) {
    int[][] tokens = json.lists("tokens", 0, V - 1);
    int[] answers = json.wholes("answers", 1, Integer.MAX_VALUE);
    var samples = new ArrayList<Sample>();
    for (int s = 0; s < tokens.length; s++) {
      if (answers.length != tokens.length || answers[s] >= tokens[s].length)
        throw json.wrong("answers", "a place in each sequence of tokens");
      samples.add(new Sample(tokens[s], answers[s]));
    }
    return samples;
  }
}
