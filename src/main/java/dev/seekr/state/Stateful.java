package dev.seekr.state;

/**
 * Something a run must take up again where it was. Whatever changes while a run goes on is either
 * saved and loaded here, or follows from the settings, the seed and the place the run is at.
 */
public interface Stateful {
  /** Says what it holds. It is between two steps, or before work that is begun anew. */
  void save(StateWriter to);

  /** Becomes what it was when it was saved. It is as it was made. */
  void load(StateReader from);
}
