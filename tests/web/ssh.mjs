/*
 * What the page offers to copy for SSH does what it says when it is pasted into a shell.
 */
import { claim, expectAccessible, host, shoot, step } from './lib.mjs';
import { checkAgain, checkNothing, refusedBeside } from './guards.mjs';
import * as researcher from './researcher.mjs';

const COMPUTER = '/run/world/kiln/computer';

/**
 * At a computer that knows nothing of Kiln yet, with the key that was made in the page.
 * @param {import('playwright-core').Page} page at the SSH tab of VM "lab"
 * @param {{file: string, passphrase: string, name: string}} user
 */
export async function pastesIntoShell(page, { file, passphrase, name }) {
  await host('mkdir', '-p', `${COMPUTER}/Downloads`);
  await host('install', '-m', '0600', file, `${COMPUTER}/Downloads/kiln-key.pem`);
  const at = (command) => host('at_computer', passphrase, command);
  const copied = async (name) => {
    await page.getByRole('button', { name: `Copy ${name}`, exact: true }).click();
    await page.locator('.copyable', { has: page.getByRole('button', { name: `Copy ${name}`, exact: true }) }).getByText('Copied').waitFor();
    return page.evaluate(() => navigator.clipboard.readText());
  };
  await page.getByText('The first time on that computer').click();
  await at(await copied('key command'));
  claim((await at(await copied('first command'))).includes(name), 'kiln-connect knows the host and the user now');
  const command = await copied('ssh command');
  claim(command === 'kiln-connect ssh lab', 'the ssh command is exact');
  const stays = async () => {
    await researcher.awaitState(page, 'ssh-proxied');
    await host('touch', `${COMPUTER}/enough`);
  };
  const [answer] = await Promise.all([at(`{ echo 'echo by"" ssh'; until [ -e enough ]; do read -r -t 0.1 <> <(:); done; } | ${command}`), stays()]);
  claim(answer.includes('by ssh'), 'the copied command leads into the VM');
  await researcher.awaitState(page, 'ready');
  await at("mkdir -p -m 0700 ~/.ssh && ssh-keygen -q -t ed25519 -N '' -f ~/.ssh/id_ed25519");
  await page.getByText('With an ssh of your own').click();
  await page.getByLabel('Your SSH public key').fill('nonsense');
  await page.getByRole('button', { name: 'Let this key in' }).click();
  await refusedBeside(page, 'Your SSH public key', 'One line that begins with the type');
  await checkNothing(page);
  await page.getByRole('button', { name: 'Let this key in' }).click();
  await refusedBeside(page, 'Your SSH public key', 'The host does not take this.');
  await checkAgain(page);
  await page.getByLabel('Your SSH public key').fill(await at('cat ~/.ssh/id_ed25519.pub'));
  await page.getByRole('button', { name: 'Let this key in' }).click();
  await page.locator('#ssh-known:visible', { hasText: /^kiln-[0-9a-f-]{36} ssh-[^ ]+ [^ ]+$/ }).waitFor();
  await at(`echo '${await copied('known_hosts line')}' >>~/.ssh/known_hosts`);
  const said = await at(`${await copied('own ssh command')} echo by an ssh of my own`);
  claim(said.includes('by an ssh of my own') && !/authenticity|warning/i.test(said), `an ssh of one's own knows the VM, and asks nothing: ${said}`);
  await shoot(page, 'vm-ssh-own');
  await expectAccessible(page, 'SSH with a key of one\'s own');
  step('what SSH offers to copy does what it says when it is pasted into a shell; the VM is ssh-proxied meanwhile');
}
