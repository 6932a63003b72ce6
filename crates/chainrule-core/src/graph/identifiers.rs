//! A map from node ids to small numbers.

/// A table keyed by node id. A few entries are simply listed; more are hashed, and because the ids of one walk are
/// nearly consecutive, the id itself is the hash: neighbours land in neighbouring slots and hardly ever collide.
pub(crate) struct IdMap {
    /// The entries in the order they came, or, once there are more than [`LISTED`], slots of a hash table.
    slots: Vec<(u64, u32)>,
    filled: usize,
}

/// Ids start at 1.
const FREE: u64 = 0;
/// As many entries as are found faster by looking at each.
const LISTED: usize = 8;
/// The slots of the smallest hash table.
const HASHED: usize = 4 * LISTED;

impl IdMap {
    pub(crate) fn new() -> IdMap {
        IdMap {
            slots: Vec::new(),
            filled: 0,
        }
    }

    /// The slot that holds `id` or, in a hash table, the free one where it belongs.
    fn slot(&self, id: u64) -> Option<usize> {
        if self.slots.len() <= LISTED {
            return self.slots.iter().position(|&(listed, _)| listed == id);
        }
        let mask = self.slots.len() - 1;
        let mut slot = id as usize & mask;
        while self.slots[slot].0 != id && self.slots[slot].0 != FREE {
            slot = (slot + 1) & mask;
        }
        Some(slot)
    }

    pub(crate) fn get(&self, id: u64) -> Option<u32> {
        let (found, value) = self.slots[self.slot(id)?];
        (found == id).then_some(value)
    }

    pub(crate) fn contains(&self, id: u64) -> bool {
        self.get(id).is_some()
    }

    /// Stores `value` under `id`, whatever was there.
    pub(crate) fn insert(&mut self, id: u64, value: u32) {
        match self.slot(id) {
            Some(slot) if self.slots[slot].0 == id => self.slots[slot].1 = value,
            slot => self.fill(slot, id, value),
        }
    }

    /// Stores `value` under `id` if that is new, and returns whether it was.
    pub(crate) fn add(&mut self, id: u64, value: u32) -> bool {
        let slot = self.slot(id);
        let new = slot.is_none_or(|slot| self.slots[slot].0 == FREE);
        if new {
            self.fill(slot, id, value);
        }
        new
    }

    /// Stores a new entry in the free `slot`, or at the end of the list.
    fn fill(&mut self, slot: Option<usize>, id: u64, value: u32) {
        self.filled += 1;
        match slot {
            Some(slot) => self.slots[slot] = (id, value),
            None if self.filled <= LISTED => {
                self.slots.reserve_exact(LISTED - self.slots.len());
                self.slots.push((id, value));
            }
            None => {
                self.rehash(HASHED);
                let slot = self.slot(id).expect("a hash table has free slots");
                self.slots[slot] = (id, value);
            }
        }
        if self.slots.len() > LISTED && self.filled * 2 > self.slots.len() {
            self.rehash(self.slots.len() * 2);
        }
    }

    fn rehash(&mut self, capacity: usize) {
        let old = std::mem::replace(&mut self.slots, vec![(FREE, 0); capacity]);
        for (id, value) in old {
            if id != FREE {
                let slot = self.slot(id).expect("a hash table has free slots");
                self.slots[slot] = (id, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::IdMap;

    #[test]
    fn finds_what_was_stored_listed_and_hashed() {
        let mut map = IdMap::new();
        for number in 0..1000u32 {
            let id = u64::from(number) * 32 + 5;
            assert!(map.add(id, number) && !map.add(id, 7));
            if number % 3 == 0 {
                map.insert(id, number + 1);
            }
            assert!(!map.contains(id + 1));
        }
        for number in 0..1000u32 {
            let expected = number + u32::from(number % 3 == 0);
            assert_eq!(map.get(u64::from(number) * 32 + 5), Some(expected));
        }
    }
}
