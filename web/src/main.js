/*
 * The page begins: log in, then work, and log in again when the session is over.
 */
import { showLogin } from './view/login.js';
import { showShell } from './view/shell.js';

const root = document.getElementById('root');

const begin = (reason) => showLogin(root, (session) => showShell(root, session, begin), reason);

begin(null);
