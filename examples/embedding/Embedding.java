import dev.seekr.Stop;
import dev.seekr.backends.Backends;
import dev.seekr.config.ConfigReader;
import dev.seekr.config.RunConfig;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.run.Run;
import dev.seekr.trainer.RunListener;
import java.nio.file.Path;
import java.util.List;

/** Trains a model and asks it before and after. Arguments: run.yaml, a prompt, and settings. */
final class Embedding {
  public static void main(String[] arguments) {
    var words = List.of(arguments);
    var config = ConfigReader.read(List.of(Path.of(words.get(0))), words.subList(2, words.size()));
    String prompt = words.get(1), task = config.data().tasks().getLast();

    var listener =
        new RunListener() {
          @Override
          public void step(Step step) {
            System.out.printf("%s %d %s%n", step.stage().name(), step.number(), step.result().losses().means());
          }
        };
    System.out.println("before: " + answer(config, Path.of(config.model().path()), prompt));
    try (var run = Run.open(config, Stop.NEVER, List.of(listener))) {
      System.out.println("OP " + run.train().scores().op().getAsDouble());
      Path model = run.folder().model(config.data().tasks().size() - 1, task);
      System.out.println("after: " + answer(config, model, prompt));
    }
  }

  private static String answer(RunConfig config, Path folder, String prompt) {
    try (var ops = Backends.open(config.run());
        var lm = LanguageModel.load(folder, config.model().ignored(), ops)) {
      return lm.generate(prompt, 8);
    }
  }
}
