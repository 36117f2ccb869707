package dev.seekr.disk;

import java.nio.file.Path;

/**
 * Every path of a run:
 *
 * <pre>
 *   config.yaml        the whole effective configuration
 *   log.jsonl          every step and evaluation
 *   checkpoints/NN/    the state of the run at some moments, to go on from
 *   models/01-task/    the model after each stage
 *   buffer/01/         what a replaying method kept of each task
 *   importance/01.safetensors, .csv   what is known of the heads after each stage, where any of it was computed
 *   adapters/01/       the adapter of each task, of methods that train adapters
 *   previous/01.safetensors, recorded/01/   the model before a stage, or what it said of the stage's samples,
 *                      of methods that compare with it; gone when it is no longer needed
 *   best/01/           what was trained in a stage as it was after the epochs that validated best, where
 *                      one of them is to go on; gone when it is no longer needed
 *   general/           what the initial model says of general samples, where it is compared with
 *   predictions/01/    answers to each task's test prompts after each stage
 *   ability/01/        what was given to each question of general ability after each stage; 00: before the first
 *   scores.json .csv   the score matrix
 *   grafted.json       final scores with old attention, where they were asked for
 *   events/            numbers of the run as TensorBoard reads them, where they are asked for
 *   lock, attempt.json which process writes into the folder
 * </pre>
 *
 * Stages are counted from 0 here and from 1 in names.
 */
public record RunFolder(Path path) {
  public Path config() {
    return path.resolve("config.yaml");
  }

  public Path log() {
    return path.resolve("log.jsonl");
  }

  public Path checkpoints() {
    return path.resolve("checkpoints");
  }

  public Path model(int stage, String name) {
    return path.resolve("models").resolve(number(stage) + "-" + name.replace(' ', '-'));
  }

  public Path buffer(int stage) {
    return path.resolve("buffer").resolve(number(stage));
  }

  /** What is known of the heads after a stage: as tensors. */
  public Path importance(int stage) {
    return path.resolve("importance").resolve(number(stage) + ".safetensors");
  }

  /** The same as a table. */
  public Path importanceCsv(int stage) {
    return path.resolve("importance").resolve(number(stage) + ".csv");
  }

  public Path adapter(int stage) {
    return path.resolve("adapters").resolve(number(stage));
  }

  /** The weights before a stage. */
  public Path previous(int stage) {
    return path.resolve("previous").resolve(number(stage) + ".safetensors");
  }

  /** What the model before a stage says of the stage's samples. */
  public Path recorded(int stage) {
    return path.resolve("recorded").resolve(number(stage));
  }

  /** What is trained in a stage, after an epoch (from 1) that was the best until then. */
  public Path best(int stage, int epoch) {
    return best(stage).resolve("%06d.safetensors".formatted(epoch));
  }

  /** All of a stage; in the order of their names they are in that of epochs. */
  public Path best(int stage) {
    return path.resolve("best").resolve(number(stage));
  }

  /** What the initial model says of general samples. */
  public Path general() {
    return path.resolve("general");
  }

  /**
   * Answers to a task's test prompts after a stage, one object a line; −1: of the initial model.
   */
  public Path predictions(int stage, String task) {
    return path.resolve("predictions").resolve(number(stage)).resolve(task + ".jsonl");
  }

  /** What was given to a benchmark's questions; row 0: before the first stage. */
  public Path ability(int row, String set) {
    return path.resolve("ability").resolve("%02d".formatted(row)).resolve(set + ".json");
  }

  /** Files for TensorBoard, one an attempt. */
  public Path events() {
    return path.resolve("events");
  }

  public Path scoresJson() {
    return path.resolve("scores.json");
  }

  public Path scoresCsv() {
    return path.resolve("scores.csv");
  }

  /** Scores of earlier tasks by the last model with the attention of earlier ones. */
  public Path graftedJson() {
    return path.resolve("grafted.json");
  }

  private static String number(int stage) {
    return "%02d".formatted(stage + 1);
  }
}
