//! A Microsoft Graph tenant in memory.
