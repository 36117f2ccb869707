package dev.seekr.config;

import dev.seekr.Failure;
import java.util.List;

/** Passes over the samples of each stage: one number for all, or one for each. */
public final class Epochs {
  private final List<Integer> each; // one: of all stages

  Epochs(List<Integer> each) {
    this.each = List.copyOf(each);
  }

  /** Of a stage, counted from 0. */
  public int of(int stage) {
    return each.size() == 1 ? each.getFirst() : each.get(stage);
  }

  /** How many stages they are given for; 1: any number. */
  public int stages() {
    return each.size();
  }

  /** Throws Failure (78) where they are given for another number of stages. */
  public void require(int stages) {
    if (each.size() == 1 || each.size() == stages) return;
    if (stages == 1)
      throw Failure.config(
          "train.epochs has %d numbers; expected one, since all is one stage (beside presets/paper, presets/paper/mtl.yaml has it)",
          each.size());
    throw Failure.config(
        "train.epochs has %d numbers; expected one, or one for each of %d stages",
        each.size(), stages);
  }

  /** Those of some of so many stages. */
  Epochs at(List<Integer> some, int stages) {
    require(stages);
    return each.size() == 1 ? this : new Epochs(some.stream().map(each::get).toList());
  }

  /** As they are written in settings. */
  List<Integer> each() {
    return each;
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Epochs o && each.equals(o.each);
  }

  @Override
  public int hashCode() {
    return each.hashCode();
  }

  /** As "5", or "[5, 10]". */
  @Override
  public String toString() {
    return each.size() == 1 ? each.getFirst().toString() : each.toString();
  }
}
