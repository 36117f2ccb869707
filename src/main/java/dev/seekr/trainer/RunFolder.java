package dev.seekr.trainer;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.Failure;
import dev.seekr.evaluation.Evaluator;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The folder of a run:
 *
 * <pre>
 *   config.yaml        the whole effective configuration
 *   log.jsonl          every step and evaluation
 *   models/01-task/    the model after each stage
 *   buffer/01/         what a replaying method kept of each task
 *   ewc/, lwf/         what these methods keep; lwf/ only while a task is trained
 *   adapters/01/       the adapter of each task, of methods that train adapters
 *   predictions/01/    answers to each task's test prompts after each stage
 *   scores.json .csv   the score matrix
 * </pre>
 */
public record RunFolder(Path path) {
  /**
   * Makes the folder. Throws Failure (73) when something is in it already: nothing is ever written
   * over.
   */
  public static RunFolder create(Path path) {
    try {
      if (Files.exists(path)) {
        if (!Files.isDirectory(path)) {
          throw new Failure(
              Failure.Exit.CONFIG, path + ": is a file; run.out names a folder to make");
        }
        try (var list = Files.list(path)) {
          if (list.findAny().isPresent()) {
            throw new Failure(
                Failure.Exit.CONFIG,
                path
                    + ": is not empty and may hold a run; choose another run.out or delete it first");
          }
        }
      }
      Files.createDirectories(path);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.CREATE, path + ": the folder cannot be made: " + e, e);
    }
    return new RunFolder(path);
  }

  /** Writes config.yaml. */
  public void writeConfig(String yaml) {
    write(path.resolve("config.yaml"), yaml);
  }

  public Path log() {
    return path.resolve("log.jsonl");
  }

  /** index from 0. */
  public Path model(int index, String stage) {
    return path.resolve("models").resolve("%02d-%s".formatted(index + 1, stage.replace(' ', '-')));
  }

  /** Writes every answer to a task's test prompts, one object a line. */
  public void writePredictions(int index, Evaluator.Result result) {
    var json = new ObjectMapper();
    var lines = new StringBuilder();
    for (var p : result.predictions()) {
      var line = json.createObjectNode();
      line.put("prompt", p.prompt()).put("answer", p.answer()).put("prediction", p.prediction());
      p.score().ifPresent(score -> line.put("score", score));
      lines.append(line).append('\n');
    }
    Path folder = path.resolve("predictions").resolve("%02d".formatted(index + 1));
    write(folder.resolve(result.task() + ".jsonl"), lines.toString());
  }

  private static void write(Path file, String text) {
    try {
      Files.createDirectories(file.getParent());
      Files.writeString(file, text);
    } catch (IOException e) {
      throw new Failure(Failure.Exit.IO, file + ": cannot be written: " + e, e);
    }
  }

  public Path scoresJson() {
    return path.resolve("scores.json");
  }

  public Path scoresCsv() {
    return path.resolve("scores.csv");
  }
}
