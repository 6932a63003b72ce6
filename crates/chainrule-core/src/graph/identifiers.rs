//! A map from node ids to small numbers.

/// A hash table keyed by node id. Ids of one walk are nearly consecutive, so the id itself is the hash: neighbours
/// land in neighbouring slots and hardly ever collide.
pub(crate) struct IdMap {
    slots: Vec<(u64, u32)>,
    filled: usize,
}

/// Ids start at 1.
const FREE: u64 = 0;

impl IdMap {
    pub(crate) fn new() -> IdMap {
        IdMap {
            slots: Vec::new(),
            filled: 0,
        }
    }

    fn slot(&self, id: u64) -> usize {
        let mask = self.slots.len() - 1;
        let mut slot = id as usize & mask;
        while self.slots[slot].0 != id && self.slots[slot].0 != FREE {
            slot = (slot + 1) & mask;
        }
        slot
    }

    pub(crate) fn get(&self, id: u64) -> Option<u32> {
        if self.slots.is_empty() {
            return None;
        }
        let (found, value) = self.slots[self.slot(id)];
        (found == id).then_some(value)
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.get(id).is_some()
    }

    /// Stores `value` under `id`, whatever was there.
    pub(crate) fn insert(&mut self, id: u64, value: u32) {
        let slot = self.room_for(id);
        self.filled += usize::from(self.slots[slot].0 == FREE);
        self.slots[slot] = (id, value);
    }

    /// Stores `value` under `id` if that is new, and returns whether it was.
    pub(crate) fn add(&mut self, id: u64, value: u32) -> bool {
        let slot = self.room_for(id);
        let new = self.slots[slot].0 == FREE;
        if new {
            self.filled += 1;
            self.slots[slot] = (id, value);
        }
        new
    }

    fn room_for(&mut self, id: u64) -> usize {
        if self.filled * 2 >= self.slots.len() {
            self.grow();
        }
        self.slot(id)
    }

    fn grow(&mut self) {
        let capacity = (self.slots.len() * 2).max(32);
        let old = std::mem::replace(&mut self.slots, vec![(FREE, 0); capacity]);
        for (id, value) in old {
            if id != FREE {
                let slot = self.slot(id);
                self.slots[slot] = (id, value);
            }
        }
    }
}
