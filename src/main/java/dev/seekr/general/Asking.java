package dev.seekr.general;

import com.fasterxml.jackson.databind.ObjectMapper;
import dev.seekr.distributed.Collectives;
import dev.seekr.state.StateReader;
import dev.seekr.state.StateWriter;
import dev.seekr.state.Stateful;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** A benchmark's questions being asked, part by part and batch by batch. */
public final class Asking implements Stateful, AutoCloseable {
  private static final ObjectMapper JSON = new ObjectMapper();

  private final Asker asker;
  private final QuestionSet set;
  private final List<Given[]> given = new ArrayList<>(); // of each part; null where there is none
  private int part, next; // the part that is asked, and the batch of it that comes next
  private SubsetAsking asked; // null: the part's questions are not tokens yet

  Asking(Asker asker, QuestionSet set) {
    this.asker = asker;
    this.set = set;
    for (Subset p : set.parts()) given.add(new Given[p.questions().size()]);
  }

  public QuestionSet set() {
    return set;
  }

  public boolean done() {
    return part == set.parts().size();
  }

  /** How many questions have been asked. */
  public int asked() {
    return (int) given.stream().flatMap(Arrays::stream).filter(g -> g != null).count();
  }

  /** Asks one more batch; all of it or, when it is given up, nothing. */
  public void next() {
    next(Collectives.ALONE);
  }

  /** The same of several processes: a batch each. */
  public void next(Collectives all) {
    if (asked == null) asked = SubsetAsking.of(asker, set.parts().get(part));
    if (all.ranks() == 1) asked.ask(next, given.get(part));
    else share(all);
    next = Math.min(next + all.ranks(), asked.batches());
    if (next < asked.batches()) return;
    close();
    next = 0;
    part++;
  }

  /** Each process asks a batch, and is told what was given to the others. */
  private void share(Collectives all) {
    Given[] to = given.get(part), own = new Given[to.length];
    int mine = next + all.rank();
    if (mine < asked.batches()) asked.ask(mine, own);
    try {
      byte[][] everyone = all.gather(JSON.writeValueAsBytes(own));
      for (int r = 0; r < everyone.length && next + r < asked.batches(); r++)
        asked.take(next + r, JSON.readValue(everyone[r], Given[].class), to);
    } catch (IOException e) {
      throw new IllegalStateException("it is read from memory", e);
    }
  }

  /** What came of it, when all is done. */
  public SetResult result() {
    var judged = new ArrayList<Judged>();
    for (int p = 0; p < given.size(); p++)
      judged.add(Judged.of(set.parts().get(p), List.of(given.get(p))));
    return new SetResult(set, judged);
  }

  @Override
  public void save(StateWriter to) {
    to.put("part", part);
    to.put("next", next);
    to.put("given", given);
  }

  @Override
  public void load(StateReader from) {
    part = (int) from.whole("part", 0, set.parts().size());
    next = (int) from.whole("next", 0, Integer.MAX_VALUE);
    Given[][] saved = from.get("given", Given[][].class);
    if (saved.length != given.size()) throw from.wrong("given", given.size() + " parts");
    for (int p = 0; p < saved.length; p++) {
      if (saved[p] == null || saved[p].length != given.get(p).length)
        throw from.wrong("given", "a place for each question of part " + (p + 1));
      for (int q = 0; q < saved[p].length; q++) {
        boolean must = p < part, may = p < part || p == part && next > 0;
        if (saved[p][q] == null ? must : !may || !fits(saved[p][q], set.parts().get(p), q))
          throw from.wrong("given", "what was given in the first %d parts".formatted(part));
      }
      given.set(p, saved[p]);
    }
    if (next == 0) return;
    if (done()) throw from.wrong("next", "0, as all is asked");
    asked = SubsetAsking.of(asker, set.parts().get(part));
    if (next >= asked.batches()) throw from.wrong("next", "a batch of part " + (part + 1));
  }

  private static boolean fits(Given given, Subset part, int q) {
    return switch (part.questions().get(q)) {
      case Question.Open _ -> given.text() != null;
      case Question.Choice choice ->
          given.likelihoods() != null
              && given.greedy() != null
              && given.likelihoods().length == choice.choices().size()
              && given.greedy().length == choice.choices().size();
    };
  }

  @Override
  public void close() {
    if (asked != null) asked.close();
    asked = null;
  }
}
