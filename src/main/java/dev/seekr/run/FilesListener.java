package dev.seekr.run;

import dev.seekr.config.RunConfig;
import dev.seekr.disk.Disk;
import dev.seekr.disk.RunFolder;
import dev.seekr.evaluation.Evaluator;
import dev.seekr.evaluation.LanguageModel;
import dev.seekr.evaluation.Predictions;
import dev.seekr.evaluation.ScoreFiles;
import dev.seekr.evaluation.ScoreMatrix;
import dev.seekr.general.Details;
import dev.seekr.general.SetResult;
import dev.seekr.method.HeadScores;
import dev.seekr.model.LlamaModel;
import dev.seekr.model.ModelFolder;
import dev.seekr.model.SoftPrompts;
import dev.seekr.tensor.DType;
import dev.seekr.trainer.RunListener;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/** Writes what a run is made for: models, answers and scores. Written again, each is the same. */
final class FilesListener implements RunListener {
  private final RunConfig config;
  private final RunFolder folder;
  private final LanguageModel lm;

  FilesListener(RunConfig config, RunFolder folder, LanguageModel lm) {
    this.config = config;
    this.folder = folder;
    this.lm = lm;
  }

  @Override
  public void heads(Stage stage, HeadScores scores) {
    String method = config.method().name().name();
    scores.write(folder, stage.index(), Map.of("task", stage.name(), "method", method));
  }

  @Override
  public void stageEnds(Stage stage, LlamaModel trained, SoftPrompts prompts) {
    if (!config.run().saveModels()) return;
    Path model = folder.model(stage.index(), stage.name());
    Disk.makeFolder(model.getParent());
    DType as = DType.valueOf(config.model().save().name().toUpperCase(Locale.ROOT));
    ModelFolder.save(model, lm.folder(), trained, as, prompts);
  }

  @Override
  public void evaluated(Stage stage, Evaluator.Result result, ScoreMatrix scores) {
    Path answers = folder.predictions(stage.index(), result.task());
    Disk.makeFolder(answers.getParent());
    Disk.write(answers, Predictions.lines(result));
    save(scores);
  }

  @Override
  public void evaluatedBefore(Evaluator.Result result, ScoreMatrix scores) {
    Path answers = folder.predictions(-1, result.task());
    Disk.makeFolder(answers.getParent());
    Disk.write(answers, Predictions.lines(result));
    save(scores);
  }

  @Override
  public void asked(int row, String after, SetResult result, ScoreMatrix scores) {
    Path file = folder.ability(row, result.set().name());
    Disk.makeFolder(file.getParent());
    Disk.write(file, Details.json(List.of(result)));
    save(scores);
  }

  @Override
  public void ends(Outcome outcome) {
    save(outcome.scores());
  }

  private void save(ScoreMatrix scores) {
    Disk.write(folder.scoresJson(), ScoreFiles.json(scores));
    Disk.write(folder.scoresCsv(), ScoreFiles.csv(scores));
  }
}
